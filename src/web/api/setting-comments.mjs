/**
 * Comments of settings, which the sources hold as the text for `--help`: `lr: numberSetting(0.1, { above: 0 }, 'learning rate')` has
 * no need to say it twice.
 */
import { Comment, Converter, ReflectionKind, TypeScript as ts } from 'typedoc';

/** The variable that a name stands for, whichever file declares it. @param {ts.TypeChecker} checker @param {ts.Identifier} name */
function initializerOf(checker, name) {
  const shorthand = ts.isShorthandPropertyAssignment(name.parent);
  let symbol = shorthand ? checker.getShorthandAssignmentValueSymbol(name.parent) : checker.getSymbolAtLocation(name);
  if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
  const declaration = symbol?.valueDeclaration;
  return declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
}

/**
 * What an expression of constants comes to; undefined where it is more than that.
 * @param {ts.TypeChecker} checker
 * @param {ts.Expression | undefined} expression
 * @returns {string | number | undefined}
 */
function constantOf(checker, expression) {
  if (!expression) return undefined;
  if (ts.isStringLiteralLike(expression)) return expression.text;
  if (ts.isNumericLiteral(expression)) return Number(expression.text);
  if (ts.isIdentifier(expression)) return constantOf(checker, initializerOf(checker, expression));
  if (ts.isTemplateExpression(expression)) {
    const spans = expression.templateSpans.flatMap((span) => [constantOf(checker, span.expression), span.literal.text]);
    return spans.includes(undefined) ? undefined : [expression.head.text, ...spans].join('');
  }
  if (!ts.isBinaryExpression(expression) || expression.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined;
  const [left, right] = [constantOf(checker, expression.left), constantOf(checker, expression.right)];
  if (left === undefined || right === undefined) return undefined;
  return typeof left === 'number' && typeof right === 'number' ? left + right : `${left}${right}`;
}

/** The default as it is written; none for what is left open, or decided elsewhere. @param {ts.Expression | undefined} preset */
function presetOf(preset) {
  const isPlain = preset && (ts.isLiteralExpression(preset) || ts.isArrayLiteralExpression(preset));
  return isPlain || ['true', 'false'].includes(preset?.getText() ?? '') ? preset?.getText() : undefined;
}

/**
 * What a call such as `numberSetting(…)` says of its setting; a function that makes one kind of setting says it inside.
 * @param {ts.TypeChecker} checker
 * @param {ts.Expression | undefined} expression
 * @returns {{ text: string, preset?: string | undefined } | undefined}
 */
function settingOf(checker, expression) {
  if (!expression) return undefined;
  if (ts.isAsExpression(expression)) return settingOf(checker, expression.expression);
  if (ts.isIdentifier(expression)) return settingOf(checker, initializerOf(checker, expression));
  if (!ts.isCallExpression(expression)) return undefined;
  const names = checker.getResolvedSignature(expression)?.parameters.map(({ name }) => name) ?? [];
  const given = (/** @type {string} */ name) => expression.arguments[names.indexOf(name)];
  const preset = presetOf(given('preset'));
  if (names.includes('text')) {
    const text = constantOf(checker, given('text'));
    return typeof text === 'string' ? { text, preset } : undefined;
  }
  const maker = ts.isIdentifier(expression.expression) && initializerOf(checker, expression.expression);
  const inner = maker && ts.isArrowFunction(maker) && !ts.isBlock(maker.body) && settingOf(checker, maker.body);
  return inner ? { ...inner, preset } : undefined;
}

const camelCase = (/** @type {string} */ flag) => flag.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());

/** A text for `--help` as a sentence about the library. @param {string} text */
function sentence(text) {
  const named = text.replace(/--([a-z]+(?:-[a-z]+)*)/g, (_, flag) => `\`${camelCase(flag)}\``);
  return `${named.replace(/^[a-z](?=[a-z]*\b)/, (first) => first.toUpperCase())}.`;
}

/** `defineMethod` leaves a method's settings deep in its type, where TypeDoc shows no comments. @param {import('typedoc').DeclarationReflection} method */
function listSettings({ type, comment }) {
  if (type?.type !== 'reference' || type.name !== 'Method') return;
  const [settings] = type.typeArguments ?? [];
  const own = settings?.type === 'reflection' ? (settings.declaration.children ?? []) : [];
  const items = own.map(({ name, comment: one, defaultValue }) => {
    const text = one ? Comment.combineDisplayParts(one.summary) : '';
    return `\n- \`${name}\`${defaultValue ? ` = \`${defaultValue}\`` : ''}: ${text}`;
  });
  if (items.length > 0) comment?.summary.push({ kind: 'text', text: `\n\nSettings of its own:\n${items.join('')}` });
}

/** Gives settings without a comment that of their declaration, and their default. @param {import('typedoc').Application} app */
export function commentSettings(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Property)) return;
    // What is made by a call: TypeDoc has no more to say of it.
    if (reflection.defaultValue === '...') delete reflection.defaultValue;
    if (reflection.comment) return;
    const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    const isShort = declaration && ts.isShorthandPropertyAssignment(declaration);
    if (!isShort && !(declaration && ts.isPropertyAssignment(declaration))) return;
    const setting = settingOf(context.checker, isShort ? declaration.name : declaration.initializer);
    if (!setting) return;
    reflection.comment = new Comment([{ kind: 'text', text: sentence(setting.text) }]);
    if (setting.preset !== undefined) reflection.defaultValue = setting.preset;
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const one of project.getReflectionsByKind(ReflectionKind.Variable)) {
      listSettings(/** @type {import('typedoc').DeclarationReflection} */ (one));
    }
  });
}
