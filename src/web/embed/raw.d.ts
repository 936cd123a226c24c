/** What Vite makes of imports: a source as text, and the address of a file of the site. */
declare module '*.ts?raw' {
  const text: string;
  export default text;
}
declare module '*.onnx?url' {
  const address: string;
  export default address;
}
