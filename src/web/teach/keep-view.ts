/** Keeping what was taught: in this browser, as a file, or not at all. */
import { html, nothing, type TemplateResult } from 'lit-html';

/** What would take the place of what is here. */
export type Replacing = { readonly by: 'network' } | { readonly by: 'file'; readonly name: string };

export interface KeepView {
  /** Why it is not kept in this browser; `null` when it is, `undefined` before anything was to be. */
  readonly fault: string | null | undefined;
  readonly isBusy: boolean;
  readonly replacing: Replacing | null;
  readonly exported: () => void;
  readonly imported: (event: Event) => void;
  readonly startOver: () => void;
  readonly replace: () => void;
  readonly leave: () => void;
}

export function keepView(view: KeepView): TemplateResult {
  const { fault, isBusy, replacing, exported, imported, startOver, replace, leave } = view;
  const kept =
    fault === undefined
      ? html`<p class="soft">What you teach is kept in this browser as you go.</p>`
      : fault === null
        ? html`<p class="soft">Kept in this browser: reload the page, or come back tomorrow.</p>`
        : html`<p class="notice" role="alert">It is not kept in this browser: ${fault}. Export it before you leave the page.</p>`;
  const question =
    replacing &&
    html`<div class="notice" role="alertdialog" aria-label="Replace what is here"><p>${
      replacing.by === 'network'
        ? 'Everything that you taught here, and its pictures, will be gone.'
        : `What you taught here will be replaced by “${replacing.name}”.`
    } Export it first, if you want it again.</p><div class="buttons"><button class="primary" @click=${replace}>Replace it</button><button @click=${leave}>Leave it as it is</button></div></div>`;
  return html`<h2>Keep it</h2>${kept}<div class="buttons"><button ?disabled=${isBusy} @click=${exported}>Export the learner</button>
    <label class="file">Import a learner<input class="visually-hidden" type="file" accept=".safetensors" ?disabled=${isBusy} @change=${imported}></label>
    <button ?disabled=${isBusy} @click=${startOver}>Start over</button></div>${question ?? nothing}
    <p class="soft small">The file is a learner as <code>ContinualLearner.load</code> reads it in Node: weights, class names, and a few pictures of each class.</p>`;
}
