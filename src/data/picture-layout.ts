/** Which pictures of folders are learnt from and which are tested on, before any is read. */
import { DataError } from '../errors.ts';
import { clipped } from '../gpu/printable.ts';
import { assertClasses, type ClassFolders, classFolders, listed, PICTURE } from './class-folders.ts';
import { type FileTree, joinPath } from './files.ts';
import { isTrainPart, TEST_NAMES, testParts, trainPart, VALIDATION_NAMES } from './part-names.ts';
import type { ReadOptions } from './reader.ts';
import { readTestList } from './test-list.ts';
import { chooseTestPart, drawnNote, drawTestImages } from './test-part.ts';

const TRAIN = 'train';
/** ImageNet's pictures of `test` have no labels. */
const TEST_PARTS = [...VALIDATION_NAMES, ...TEST_NAMES];

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
function inParts(train: ClassFolders, test: ClassFolders, where: string): PictureLayout {
  const classNames = [...train.pictures.keys()];
  const strange = [...test.pictures.keys()].find((name) => !train.pictures.has(name));
  if (strange !== undefined) {
    throw new DataError({
      where: joinPath(where, joinPath(test.part, strange)),
      message: `there is no such class in ${train.part}: "${clipped(strange)}".`,
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
  assertClasses(classNames, joinPath(where, train.part));
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

/** The parts that a set has. */
interface Parts {
  readonly train: ClassFolders;
  /** Folders that are usually tested on, in the order that they are taken. */
  readonly tested: readonly string[];
  /** What people are to know of folders beside them. */
  readonly notes: readonly string[];
}

/** Undefined where the folders are those of classes. @throws {DataError} when a part is there under two names. */
function partsOf(tree: FileTree, where: string): Parts | undefined {
  const folders = topFolders(tree);
  const names = [...folders.keys()];
  const holdsClasses = (name: string): boolean =>
    isTrainPart(name) && classFolders(tree, name, where).pictures.size > 0;
  const inClasses = trainPart(names.filter(holdsClasses), where);
  const tested = testParts(names, TEST_PARTS, where);
  // A class may be called `train`, too: its pictures lie right inside, and nothing is beside it that is usually tested on.
  const name = inClasses ?? (names.includes(TRAIN) && tested.length > 0 ? TRAIN : undefined);
  if (name === undefined) return undefined;
  const others = names.filter((one) => folders.get(one) && one !== name && !tested.includes(one));
  // And a class `Training` may have folders in it, with other classes beside it.
  if (name !== TRAIN && tested.length === 0 && others.length > 0) return undefined;
  const notes =
    others.length > 0 ? [`folders beside ${name} that are no part to test on were passed over: ${listed(others)}`] : [];
  return { train: classFolders(tree, name, where), tested, notes };
}

/** The folders right in the root, and whether there are pictures in them. */
function topFolders({ files, folders }: FileTree): Map<string, boolean> {
  const found = new Map(folders.filter((path) => !path.includes('/')).map((name) => [name, false]));
  for (const path of files) {
    if (!path.includes('/')) continue;
    const name = path.slice(0, path.indexOf('/'));
    found.set(name, found.get(name) || PICTURE.test(path));
  }
  return found;
}

/**
 * Undefined where there are no folders with pictures in them.
 * @throws {DataError} for fewer than two classes, for parts of different classes or under two names, and when nothing would be left
 * to learn from or to test on.
 */
export async function pictureLayout(
  tree: FileTree,
  options: ReadOptions,
  where: string,
): Promise<PictureLayout | undefined> {
  const parts = partsOf(tree, where);
  if (!parts) {
    const folders = classFolders(tree, '', where);
    if (folders.pictures.size === 0) return undefined;
    chooseTestPart([], options, where);
    return divided(folders, options, where);
  }
  const { part, notes } = chooseTestPart(parts.tested, options, where);
  const layout =
    part === undefined
      ? await divided(parts.train, options, where)
      : inParts(parts.train, classFolders(tree, part, where), where);
  return { ...layout, notes: [...notes, ...parts.notes, ...layout.notes] };
}
