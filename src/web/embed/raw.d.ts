/** A source as text, as Vite gives it. */
declare module '*.ts?raw' {
  const text: string;
  export default text;
}
