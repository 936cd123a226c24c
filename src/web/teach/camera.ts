/** The camera, once the visitor allows it. */

const refusals: Readonly<Record<string, string>> = {
  NotAllowedError:
    'The camera was refused. Allow it for this page in the browser’s address bar, or draw, or drop pictures.',
  NotFoundError: 'There is no camera here. Draw, or drop pictures.',
  NotReadableError: 'Another program has the camera. Close that, or draw, or drop pictures.',
};

function end(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

export class Camera {
  private stream: MediaStream | null = null;
  /** Times that it was asked for, or left: visitors may think for long before they allow it. */
  private turns = 0;

  constructor(private readonly video: HTMLVideoElement) {}

  get isOn(): boolean {
    return this.stream !== null;
  }

  /** Asks for it; should it be left or asked for again meanwhile, nothing comes of this. @throws {Error} with what to tell the visitor when there is none, or it is refused. */
  async start(): Promise<void> {
    if (this.stream) return;
    const turn = ++this.turns;
    try {
      if (!navigator.mediaDevices) throw new DOMException('', 'NotFoundError');
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      if (turn !== this.turns) return end(stream);
      this.stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
    } catch (cause) {
      if (turn !== this.turns) return;
      this.stop();
      const { name, message } = cause as Error;
      throw new Error(refusals[name] ?? `The camera could not be started: ${message}`, { cause });
    }
  }

  stop(): void {
    this.turns++;
    if (this.stream) end(this.stream);
    this.stream = null;
    this.video.srcObject = null;
  }

  /** The middle of what it sees now; `null` before its first picture. */
  picture(side = 224): ImageData | null {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!this.stream || width === 0) return null;
    const seen = Math.min(width, height);
    const context = new OffscreenCanvas(side, side).getContext('2d', {
      willReadFrequently: true,
    }) as OffscreenCanvasRenderingContext2D;
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.video, (width - seen) / 2, (height - seen) / 2, seen, seen, 0, 0, side, side);
    return context.getImageData(0, 0, side, side);
  }
}
