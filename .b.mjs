import {build} from 'esbuild'; import {gzipSync} from 'node:zlib';
const code=process.argv[2];
const r=await build({stdin:{contents:code,resolveDir:process.cwd(),loader:'ts'},bundle:true,minify:true,format:'esm',platform:'browser',write:false,metafile:true,target:'es2022'});
const o=r.outputFiles[0].contents; console.log(o.length,gzipSync(o,{level:9}).length);
const i=Object.values(r.metafile.outputs)[0].inputs;
let w=0,g=Object.entries(i).sort((a,b)=>b[1].bytesInOutput-a[1].bytesInOutput); for(const [f,x] of g) if(f.includes('shaders'))w+=x.bytesInOutput; console.log('wgsl',w, 'vendor', g.filter(x=>x[0].includes('vendor')).map(x=>x[0]+x[1].bytesInOutput).join());
console.log(g.filter(x=>x[1].bytesInOutput>700).map(([f,x])=>f.replace('dist/','')+':'+x.bytesInOutput).slice(0,+process.argv[3]||60).join('\n'));
