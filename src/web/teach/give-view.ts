/** How pictures come in, and which class they are of. */
import { html, nothing, type TemplateResult } from 'lit-html';

export const SOURCES = { draw: 'Draw', camera: 'Camera', files: 'Files' } as const;
export type Source = keyof typeof SOURCES;

export const sourcesView = (source: Source, choose: (source: Source) => void): TemplateResult =>
  html`<fieldset class="tabs"><legend class="visually-hidden">Where pictures come from</legend>${Object.entries(
    SOURCES,
  ).map(
    ([id, title]) =>
      html`<label><input type="radio" name="source" .checked=${id === source} @change=${() => choose(id as Source)}> ${title}</label>`,
  )}</fieldset>`;

/** @param chosen is told the files of each choice, and whether they are those of a folder. */
export const filesView = (chosen: (event: Event, isFolder: boolean) => void): TemplateResult =>
  html`<p class="drop">Drop pictures here, or a folder of them, or paste with Ctrl+V. Each folder becomes a class by its name.</p>
    <p class="buttons"><label class="file">Choose pictures<input class="visually-hidden" type="file" multiple accept="image/*" @change=${(event: Event) => chosen(event, false)}></label>
    <label class="file">Choose a folder<input class="visually-hidden" type="file" webkitdirectory @change=${(event: Event) => chosen(event, true)}></label></p>`;

export interface GiveView {
  readonly source: Source;
  readonly name: string;
  readonly names: readonly string[];
  readonly isCameraOn: boolean;
  /** Pictures of the class that is named. */
  readonly count: number;
  readonly isBusy: boolean;
  /** Whether there is something to teach. */
  readonly canTeach: boolean;
  readonly setName: (name: string) => void;
  readonly add: (event: Event) => void;
  readonly burst: () => void;
  readonly clear: () => void;
  readonly teach: () => void;
  readonly stop: () => void;
}

export function giveView(view: GiveView): TemplateResult {
  const { source, name, names, isCameraOn, count, isBusy, canTeach, setName, add, burst, clear, teach, stop } = view;
  const isPad = source === 'draw';
  const canAdd = isPad || (source === 'camera' && isCameraOn);
  return html`<form class="give" @submit=${add}>
    <label>This is a <input name="class" list="own-names" .value=${name} maxlength="40" autocomplete="off" placeholder="star, cup, my hand …" @input=${({ target }: Event) => setName((target as HTMLInputElement).value)}></label>
    <datalist id="own-names">${names.map((one) => html`<option value=${one}></option>`)}</datalist>
    ${canAdd ? html`<button class=${canTeach ? '' : 'primary'}>${isPad ? 'Add the drawing' : 'Take a picture'}</button>` : nothing}
    ${source === 'camera' && isCameraOn ? html`<button type="button" @click=${burst}>Take ten</button>` : nothing}
    ${isPad ? html`<button type="button" @click=${clear}>Clear</button>` : nothing}
    </form>
    ${count > 0 ? html`<p class="soft small">${count} ${count === 1 ? 'picture' : 'pictures'} of ${name} so far${count < 10 ? '; ten are good' : ''}.</p>` : nothing}
    <div class="buttons">${
      isBusy
        ? html`<button @click=${stop}>Stop, and leave them as they were</button>`
        : html`<button class=${canTeach ? 'primary' : ''} ?disabled=${!canTeach} @click=${teach}>Teach it</button>`
    }</div>`;
}
