/** What Vite makes of imports: a file as its text, and the address of a file of the site. */
declare module '*?raw' {
  const text: string;
  export default text;
}
declare module '*?url' {
  const address: string;
  export default address;
}
