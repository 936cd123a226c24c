/** Texts by which things are told apart: of those that are alike, the second and further ones have their number behind them. */
export function toldApart(texts: readonly string[]): string[] {
  const taken = new Set(texts);
  const seen = new Set<string>();
  return texts.map((text) => {
    let own = text;
    for (let n = 2; seen.has(own) || (own !== text && taken.has(own)); n++) own = `${text} (${n})`;
    seen.add(own);
    return own;
  });
}
