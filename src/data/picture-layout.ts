/** Which pictures of folders are learnt from and which are tested on, before any is read. */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { assertClasses, type ClassFolders, classFolders } from './class-folders.ts';
import { type FileTree, joinPath } from './files.ts';
import type { ReadOptions } from './reader.ts';
import { readTestList } from './test-list.ts';
import { chooseTestPart, drawnNote, drawTestImages } from './test-part.ts';

const TRAIN = 'train';
/** ImageNet's pictures of `test` have no labels. */
const TEST_PARTS = ['val', 'validation', 'valid', 'test'];

/** Pictures of both parts, not read yet. */
export interface PictureLayout {
  readonly classNames: readonly string[];
  readonly train: readonly LabelledPicture[];
  readonly test: readonly LabelledPicture[];
  readonly notes: readonly string[];
}

export interface LabelledPicture {
  readonly name: string;
  readonly label: number;
}

/** The pictures of a part in order of the classes. */
const labelled = ({ pictures }: ClassFolders, classNames: readonly string[]): LabelledPicture[] =>
  classNames.flatMap((className, label) => (pictures.get(className) ?? []).map((name) => ({ name, label })));

/** @throws {DataError} when the part to test on has other classes, or one of them has no pictures. */
function inParts(tree: FileTree, part: string, where: string): PictureLayout {
  const [train, test] = [classFolders(tree, TRAIN, where), classFolders(tree, part, where)];
  const classNames = [...train.pictures.keys()];
  const strange = [...test.pictures.keys()].find((name) => !train.pictures.has(name));
  if (strange !== undefined) {
    throw new DataError({
      where: joinPath(where, joinPath(part, strange)),
      message: `there is no such class in ${TRAIN}: "${clipped(strange)}".`,
      fix: 'Lay both parts out alike: a folder for each class, pictures in it.',
    });
  }
  for (const { pictures, part: name } of [train, test]) {
    if (pictures.size > 0) continue;
    throw new DataError({
      where: joinPath(where, name),
      message: 'there are no pictures in its folders.',
      fix: 'Put JPEG, PNG, WebP or AVIF files there, in a folder for each class.',
    });
  }
  assertClasses(classNames, joinPath(where, TRAIN));
  return {
    classNames,
    train: labelled(train, classNames),
    test: labelled(test, classNames),
    notes: [...train.notes, ...test.notes],
  };
}

/**
 * Folders of classes without parts.
 * @throws {DataError} when nothing would be left to learn from, or nothing tested on.
 */
async function divided(folders: ClassFolders, options: ReadOptions, where: string): Promise<PictureLayout> {
  const classNames = [...folders.pictures.keys()];
  assertClasses(classNames, joinPath(where, folders.part));
  const all = labelled(folders, classNames);
  const isTested = await testedPictures(folders, options);
  const [train, test] = [all.filter(({ name }) => !isTested(name)), all.filter(({ name }) => isTested(name))];
  if (train.length === 0 || test.length === 0) {
    throw new DataError({
      where: joinPath(where, folders.part),
      message: `of ${all.length} pictures ${train.length} are left to learn from, and ${test.length} to test on.`,
      fix: 'Put more pictures into each folder, or list fewer to test on.',
    });
  }
  const learnt = new Set(train.map(({ label }) => label));
  const unseen = classNames.find((_, label) => !learnt.has(label));
  if (unseen !== undefined) {
    throw new DataError({
      where: joinPath(where, joinPath(folders.part, unseen)),
      message: 'all pictures of this class are to be tested on, and none is left to learn from.',
      fix: 'List fewer of them, or leave the class out.',
    });
  }
  const how =
    options.testList === undefined
      ? drawnNote(options)
      : `tested on the ${test.length} pictures that ${options.testList} lists`;
  return { classNames, train, test, notes: [...folders.notes, how] };
}

/** What tells by a picture's name whether it is tested on. */
async function testedPictures({ pictures }: ClassFolders, options: ReadOptions): Promise<(name: string) => boolean> {
  if (options.testList !== undefined) {
    const listed = await readTestList(options.testList, [...pictures.values()].flat());
    return (name) => listed.has(name);
  }
  const counts = new Map([...pictures].map(([className, names]) => [className, names.length]));
  const drawn = drawTestImages(counts, options);
  const chosen = new Set<string>();
  for (const [className, names] of pictures)
    for (const [place, name] of names.entries()) if (drawn.get(className)?.[place]) chosen.add(name);
  return (name) => chosen.has(name);
}

/**
 * Undefined where there are no folders with pictures in them.
 * @throws {DataError} for fewer than two classes, for parts of different classes, and when nothing would be left to learn from or to test on.
 */
export async function pictureLayout(
  tree: FileTree,
  options: ReadOptions,
  where: string,
): Promise<PictureLayout | undefined> {
  const holds = (folder: string): boolean =>
    tree.folders.includes(folder) || tree.files.some((path) => path.startsWith(`${folder}/`));
  const train = classFolders(tree, TRAIN, where);
  const parts = TEST_PARTS.filter(holds);
  // A class may be called `train`, too: its pictures lie right inside, and nothing is beside it that is usually tested on.
  if (train.pictures.size === 0 && !(holds(TRAIN) && parts.length > 0)) {
    const folders = classFolders(tree, '', where);
    if (folders.pictures.size === 0) return undefined;
    chooseTestPart([], options, where);
    return divided(folders, options, where);
  }
  const { part, notes } = chooseTestPart(parts, options, where);
  if (part === undefined) return divided(train, options, where);
  const layout = inParts(tree, part, where);
  return { ...layout, notes: [...notes, ...layout.notes] };
}
