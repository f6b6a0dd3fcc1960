// Bundles the dashboard into one ES module where the Python package serves it from.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, context, transform } from "esbuild";

const LIMIT_KB = 80;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const outfile = path("../tb_sonify/plugin/static/index.js");

/** The licences of what ends up inside the bundle, as one comment at its head. */
async function notices() {
  const texts = ["preact", "@preact/signals", "@preact/signals-core", "uplot"].map(async (name) => {
    const licence = await readFile(path(`node_modules/${name}/LICENSE`), "utf8");
    return `${name}\n\n${licence.trim()}`;
  });
  return `/*! This file contains:\n\n${(await Promise.all(texts)).join("\n\n")}\n*/`;
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

/** uPlot without the lines that nobody draws here: 2 KB, as it exports all of them as one object. */
const straightLines = {
  name: "straight-lines",
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path: file }) => {
      const text = await readFile(file, "utf8");
      const contents = text.replaceAll(/\(paths\.(stepped|bars|spline) +=.*\n/g, "\n");
      if (contents.length === text.length) throw new Error("uPlot lists its paths in another way");
      return { contents, loader: "js" };
    });
  },
};

const options = {
  entryPoints: [path("src/index.ts")],
  outfile,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  plugins: [styleAsText, straightLines],
  banner: { js: await notices() },
  legalComments: "none",
  logLevel: "warning",
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
  console.log(`watching, writes ${outfile}`);
} else {
  await build(options);
  const kilobytes = gzipSync(await readFile(outfile), { level: 9 }).length / 1024;
  console.log(`index.js: ${kilobytes.toFixed(1)} KB gzipped, at most ${LIMIT_KB}`);
  if (kilobytes > LIMIT_KB) {
    console.error(`index.js must be at most ${LIMIT_KB} KB gzipped: find what made it grow`);
    process.exit(1);
  }
}
