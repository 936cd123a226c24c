/** What a kernel is compiled for: sizes, flags and types, injected ahead of its source. */

/**
 * What is injected ahead of a kernel: a whole number becomes a `u32` constant (an `i32` when negative), `{ f32: x }` a float
 * constant, a boolean a `bool` constant, a string an `alias`.
 */
export type Constants = Readonly<Record<string, number | boolean | string | { readonly f32: number }>>;

const floatLiteral = (x: number): string => {
  const text = String(x);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
};

/** The constants as WGSL lines. */
export function renderConstants(constants: Constants): string {
  let text = '';
  for (const [name, value] of Object.entries(constants)) {
    if (typeof value === 'string') text += `alias ${name} = ${value};\n`;
    else if (typeof value === 'boolean') text += `const ${name}: bool = ${value};\n`;
    else if (typeof value === 'object') text += `const ${name}: f32 = ${floatLiteral(value.f32)};\n`;
    else if (value < 0) text += `const ${name}: i32 = ${value}i;\n`;
    else text += `const ${name}: u32 = ${value}u;\n`;
  }
  return text;
}
