/** What the two take the latest picture for. */
import type { Prediction } from 'engram/continual';
import { html, type TemplateResult } from 'lit-html';
import { type OfEach, PUPILS, type Pupil } from './protocol.ts';

export const NAMES: OfEach<string> = { kept: 'With DKD', plain: 'Fine-tuning alone' };
/** As their lines on other pages. */
export const LINES: OfEach<number> = { kept: 2, plain: 0 };

const percent = (probability: number): string => `${(100 * probability).toFixed(0)} %`;

const answer = ({ label, probability }: Prediction, pupil: Pupil): TemplateResult =>
  html`<li><span class="label">${label}</span><progress max="1" .value=${probability} data-line=${LINES[pupil]} aria-label="${label}"></progress><span class="percent">${percent(probability)}</span></li>`;

export function answersView(answers: OfEach<readonly Prediction[]> | null): TemplateResult {
  if (!answers)
    return html`<p class="soft">Draw, or hold something before the camera: the answers come as you do.</p>
      <p class="visually-hidden" role="status"></p>`;
  const best = PUPILS.map((pupil) => {
    const [first] = answers[pupil];
    return first ? `${NAMES[pupil]}: ${first.label}, ${percent(first.probability)}` : '';
  });
  return html`<div class="pupils">${PUPILS.map(
    (pupil) =>
      html`<div><h3><span class="key" data-line=${LINES[pupil]}></span>${NAMES[pupil]}</h3><ol class="answers">${answers[pupil].map((one) => answer(one, pupil))}</ol></div>`,
  )}</div>
    <p class="visually-hidden" role="status">${best.join('. ')}</p>`;
}
