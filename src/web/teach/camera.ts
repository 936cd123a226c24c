/** The camera, once the visitor allows it. */

const refusals: Readonly<Record<string, string>> = {
  NotAllowedError:
    'The camera was refused. Allow it for this page in the browser’s address bar, or draw, or drop pictures.',
  NotFoundError: 'There is no camera here. Draw, or drop pictures.',
  NotReadableError: 'Another program has the camera. Close that, or draw, or drop pictures.',
};

export class Camera {
  private stream: MediaStream | null = null;

  constructor(private readonly video: HTMLVideoElement) {}

  get isOn(): boolean {
    return this.stream !== null;
  }

  /** Asks for it. @throws {Error} with what to tell the visitor when there is none, or it is refused. */
  async start(): Promise<void> {
    if (this.stream) return;
    try {
      if (!navigator.mediaDevices) throw new DOMException('', 'NotFoundError');
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      this.video.srcObject = this.stream;
      await this.video.play();
    } catch (cause) {
      this.stop();
      const { name, message } = cause as Error;
      throw new Error(refusals[name] ?? `The camera could not be started: ${message}`, { cause });
    }
  }

  stop(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
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
