/** The visitor's classes: their pictures, their names, and what of them is still to be taught. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { picture, pixelsOf } from '../shared/picture.ts';
import type { OwnClass, Ready } from './protocol.ts';
import { FEWEST_PICTURES } from './recipe.ts';

/** Pictures of a class that are shown, the latest ones. */
const MOST_SHOWN = 40;

export interface ClassesView {
  readonly classes: readonly OwnClass[];
  readonly format: Ready['format'];
  /** While a task is learnt, nothing is changed. */
  readonly isBusy: boolean;
  /** The class that is being renamed. */
  readonly renaming: string | null;
  readonly choose: (name: string) => void;
  readonly beginRename: (name: string | null) => void;
  readonly rename: (name: string, to: string) => void;
  readonly remove: (name: string, picture: number | null) => void;
}

function stateOf({ count, taught, isKnown }: OwnClass): string {
  const fresh = count - taught;
  const missing = FEWEST_PICTURES - count;
  if (!isKnown && missing > 0) return `${missing} more ${missing === 1 ? 'picture' : 'pictures'}, and it can be taught`;
  if (!isKnown) return 'not taught yet';
  return fresh > 0 ? `${fresh} new ${fresh === 1 ? 'picture' : 'pictures'} to be taught` : 'taught';
}

function nameOf({ name }: OwnClass, view: ClassesView): TemplateResult {
  const { renaming, isBusy, beginRename, rename } = view;
  if (renaming !== name)
    return html`<h3>${name}</h3> <button class="prose" ?disabled=${isBusy} aria-label="Rename ${name}" @click=${() => beginRename(name)}>Rename</button>`;
  const submit = (event: Event) => {
    event.preventDefault();
    const input = (event.target as HTMLFormElement).elements.namedItem('to') as HTMLInputElement;
    rename(name, input.value.trim());
  };
  return html`<form class="rename" @submit=${submit}><input name="to" aria-label="New name of ${name}" .value=${name} maxlength="40" autocomplete="off">
    <button>Rename</button> <button type="button" @click=${() => beginRename(null)}>Leave it</button></form>`;
}

function card(own: OwnClass, view: ClassesView): TemplateResult {
  const { name, pictures, count, isKnown } = own;
  const { format, isBusy, choose, remove } = view;
  const first = Math.max(0, count - MOST_SHOWN);
  const shown = Array.from({ length: count - first }, (_, at) => first + at);
  return html`<li class="card own" data-class=${name}><div class="head">${nameOf(own, view)}<span class="soft small state">${stateOf(own)}</span></div>
    <ul class="pictures">${shown.map(
      (at) =>
        html`<li><button class="thumb" ?disabled=${isBusy} aria-label="Remove picture ${at + 1} of ${name}" title="Remove this picture" @click=${() => remove(name, at)}>${picture(pixelsOf(pictures, at, format), format, `${name}, picture ${at + 1}`)}</button></li>`,
    )}</ul>${first > 0 ? html`<p class="soft small">and ${first} earlier ones</p>` : nothing}
    <div class="buttons"><button @click=${() => choose(name)}>Show it more</button>${
      isKnown ? nothing : html`<button ?disabled=${isBusy} @click=${() => remove(name, null)}>Remove</button>`
    }</div></li>`;
}

export function classesView(view: ClassesView): TemplateResult {
  if (view.classes.length === 0) return html``;
  return html`<h2>Your classes</h2><ul class="own-classes">${view.classes.map((own) => card(own, view))}</ul>`;
}
