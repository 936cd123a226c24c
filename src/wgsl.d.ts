/** WGSL files are bundled as their text, with the files that they import; see `src/build/wgsl-plugin.mjs`. */
declare module '*.wgsl' {
  const file: import('./gpu/wgsl/file.ts').WgslFile;
  export default file;
}
