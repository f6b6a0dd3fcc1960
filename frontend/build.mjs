// Bundles the dashboard into ES modules where the Python package serves them from: index.js, and in
// parts/ what it imports, what it loads after the first paint, and the clock that it runs as a worker.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, context, transform } from "esbuild";

const LIMIT_KB = 80;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const outdir = path("../tb_sonify/plugin/static/");

/** The licences of what ends up inside the bundle, which go where it goes. */
async function notices() {
  const texts = ["preact", "@preact/signals", "@preact/signals-core"].map(async (name) => {
    const licence = await readFile(path(`node_modules/${name}/LICENSE`), "utf8");
    return `${name}\n\n${licence.trim()}`;
  });
  return `The scripts beside this file contain:\n\n${(await Promise.all(texts)).join("\n\n")}\n`;
}

/** Style sheets become text in the bundle, minified like the code. */
const styleAsText = {
  name: "style-as-text",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path: file }) => {
      const { code } = await transform(await readFile(file, "utf8"), {
        loader: "css",
        minify: true,
      });
      return { contents: code, loader: "text", watchFiles: [file] };
    });
  },
};

const options = {
  entryPoints: { index: path("src/index.ts"), "parts/ticker": path("src/ticker.ts") },
  outdir,
  chunkNames: "parts/[name]-[hash]",
  splitting: true,
  bundle: true,
  metafile: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  plugins: [styleAsText],
  legalComments: "none",
  logLevel: "warning",
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
  console.log(`watching, writes ${outdir}`);
} else {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await writeFile(`${outdir}/licences.txt`, await notices());
  const { outputs } = (await build(options)).metafile;
  const first = loadedFirst(outputs);
  const kilobytes = [0, 0];
  for (const output of Object.keys(outputs)) {
    const size = gzipSync(await readFile(output), { level: 9 }).length / 1024;
    kilobytes[first.has(output) ? 0 : 1] += size;
  }
  const [start, later] = kilobytes.map((size) => size.toFixed(1));
  console.log(`index.js: ${start} KB gzipped, at most ${LIMIT_KB}; ${later} KB are loaded later`);
  if (kilobytes[0] > LIMIT_KB) {
    console.error(`index.js must be at most ${LIMIT_KB} KB gzipped: find what made it grow`);
    process.exit(1);
  }
}

/** index.js and all that it imports, which is what a page has to load before it shows anything. */
function loadedFirst(outputs) {
  const found = new Set();
  const add = (output) => {
    found.add(output);
    for (const { path, kind } of outputs[output].imports) {
      if (kind === "import-statement" && !found.has(path)) add(path);
    }
  };
  add(Object.keys(outputs).find((output) => output.endsWith("/index.js")));
  return found;
}
