/**
 * Packages that the package carries instead of depending on them, and what of them. Installed they would weigh several
 * times the engine itself, most of it in files that nothing here reads. Their licences go into `third-party.txt`.
 */
export const VENDORED = {
  'env-paths': "export { default } from 'env-paths';",
  'modern-tar/fs': "export { unpackTar } from 'modern-tar/fs';",
  valibot: "export * from 'valibot';",
  'wgpu-matrix': "export { mat3d } from 'wgpu-matrix';",
};

/**
 * The file of a vendored package, from the folder of the build.
 * @param {string} name
 */
export const vendoredPath = (name) => `vendor/${name.replace('/', '-')}`;
