/** Presets as prose, and every setting with what it does. */
import { html, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { ref } from 'lit-html/directives/ref.js';
import {
  type Experiment,
  FIELDS,
  learnersOf,
  MOST_LEARNERS,
  PRESETS,
  readField,
  WATCHED,
  type Watched,
} from './experiment.ts';

type FieldName = keyof typeof FIELDS;

export interface SettingsForm {
  readonly experiment: Experiment;
  /** Told of another experiment. */
  readonly change: (experiment: Experiment) => void;
}

const isSame = (a: Experiment, b: Experiment): boolean => JSON.stringify(a) === JSON.stringify(b);

export const presets = ({ experiment, change }: SettingsForm): TemplateResult =>
  html`<ul class="presets">${PRESETS.map(
    (preset) => html`<li><button class="prose" aria-pressed=${isSame(preset.experiment, experiment)}
      @click=${() => change(preset.experiment)}>${preset.prose}</button></li>`,
  )}</ul>`;

// `live` here and below: what visitors choose is not what was rendered last.
function control(name: FieldName, { experiment, change }: SettingsForm): TemplateResult {
  const field = FIELDS[name];
  const id = `setting-${name}`;
  const set = ({ target }: Event) => {
    const input = target as HTMLInputElement | HTMLSelectElement;
    const value = readField(field, input.value);
    input.setCustomValidity(value === null && field.kind === 'number' ? `From ${field.least} to ${field.most}.` : '');
    input.reportValidity();
    if (value !== null) change({ ...experiment, [name]: value });
  };
  // What is rendered is an experiment, whose values are all right: so is the one that a preset put in a wrong one's place.
  const isRight = ref((input) => (input as HTMLInputElement | undefined)?.setCustomValidity(''));
  const input =
    field.kind === 'choice'
      ? html`<select id=${id} @change=${set}>${field.options.map(
          (option) => html`<option .selected=${live(option === experiment[name])}>${option}</option>`,
        )}</select>`
      : html`<input id=${id} type="number" min=${field.least} max=${field.most} step=${field.step} .value=${live(`${experiment[name]}`)} @change=${set} ${isRight}>`;
  return html`<div class="setting"><label for=${id}>${field.label}</label>${input}<p class="soft small">${field.says}</p></div>`;
}

function learners({ experiment, change }: SettingsForm): TemplateResult {
  const set = (place: number, name: string) => {
    const names = [...experiment.learners];
    names.splice(place, 1, ...(name === '' ? [] : [name as Watched]));
    const chosen = learnersOf(names.join(' '));
    if (chosen) change({ ...experiment, learners: chosen });
  };
  const places = Array.from({ length: MOST_LEARNERS }, (_, place) => place);
  return html`<fieldset class="setting wide"><legend>Learners</legend>${places.map((place) => {
    const now = experiment.learners[place] ?? '';
    const isOnly = experiment.learners.length === 1 && place === 0;
    return html`<select aria-label="Learner ${place + 1}" @change=${({ target }: Event) => set(place, (target as HTMLSelectElement).value)}>
      <option value="" .selected=${live(now === '')} ?disabled=${isOnly}>none</option>${(
        Object.keys(WATCHED) as Watched[]
      ).map(
        (name) =>
          html`<option value=${name} .selected=${live(name === now)} ?disabled=${name !== now && experiment.learners.includes(name)}>${name}: ${WATCHED[name].says}</option>`,
      )}</select>`;
  })}<p class="soft small">Side by side, on the same pictures in the same order.</p></fieldset>`;
}

export const settingsForm = (form: SettingsForm): TemplateResult =>
  html`<details class="card"><summary><h2>Every setting</h2></summary>
    <p class="soft">All of them stand in the address: the link is the experiment.</p>
    <div class="settings">${learners(form)}${(Object.keys(FIELDS) as FieldName[]).map((name) => control(name, form))}</div></details>`;
