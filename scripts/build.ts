/**
 * Makes dist/capstan, a single executable: Node 24 with the bundle, worker code, the SQLite addon and assets inside
 * (Node's own SEA format). Why not pkg, and what a warm code cache brings: docs/decisions/0001-single-executable.md.
 *
 * The bundle is an asset that boot.cjs compiles with a code cache. The cache is made here by running the bundle once, so
 * that it holds what a start needs in compiled form; it is valid only for the very Node build it was made with.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const out = join(root, "dist");
const work = join(out, `build-${process.pid}`); // builds may run side by side
const executable = join(out, "capstan");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

/** Code: output name → entry. Each becomes one script and is embedded as an asset of that name. */
const bundles: Readonly<Record<string, string>> = {
  "main.cjs": "src/main.ts",
  "store-worker.cjs": "src/store/worker.ts",
};
/** Assets as src/lib/asset.ts names them → file. */
const assets: Record<string, string> = {
  "better_sqlite3.node": `node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`,
  "api/generated/schema.json": "src/api/generated/schema.json",
  "../manifests/crds/gitrepositories.yaml": "manifests/crds/gitrepositories.yaml",
  "../manifests/crds/kustomizations.yaml": "manifests/crds/kustomizations.yaml",
  "../manifests/node-network.yaml": "manifests/node-network.yaml",
  "api/generated/structure.json": "src/api/generated/structure.json",
};

function revision(): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

async function bundle(name: string, entry: string): Promise<void> {
  await build({
    entryPoints: [join(root, entry)],
    outfile: join(work, name),
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    charset: "ascii",
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "error",
    // A bundle has no file of its own: what asks for one is served from the assets.
    define: {
      "import.meta.url": '"file:///capstan/main.js"',
      "import.meta.main": "false",
      "import.meta.dirname": '"/capstan"',
    },
  });
}

const bootSource = (version: string, commit: string) => `
const { Script } = require("node:vm");
const sea = require("node:sea");
const only = process.argv[2];
if (process.argv.length === 3 && (only === "--version" || only === "version")) {
  process.stdout.write("capstan ${version} (${commit.slice(0, 12)}), Kubernetes v1.36.2, Node " + process.version + "\\n");
} else {
  const source = sea.getAsset("main.cjs", "latin1");
  const cachedData = Buffer.from(sea.getRawAsset("main.cache"));
  const script = new Script(source, { filename: "capstan.js", cachedData });
  if (script.cachedDataRejected && process.env.CAPSTAN_DEBUG_CACHE) process.stderr.write("code cache rejected\\n");
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, "/capstan/main.js", "/capstan");
  module.exports.run(process.argv.slice(2));
}
`;

const warmSource = `
const { Script } = require("node:vm");
const { readFileSync, writeFileSync } = require("node:fs");
const [, , source, out] = process.argv;
const script = new Script(readFileSync(source, "latin1"), { filename: "capstan.js" });
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, require, module_, "/capstan/main.js", "/capstan");
Promise.resolve(module_.exports.warmUp?.()).then(() => {
  writeFileSync(out, script.createCachedData());
  process.exit(0);
});
`;

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const commit = revision();
await Promise.all(Object.entries(bundles).map(([name, entry]) => bundle(name, entry)));

// The bundle as an expression: a function that takes what a CommonJS module takes. ASCII only, so that V8 keeps it at one
// byte a character; esbuild leaves what stands in regular expressions, where the escape means the same.
const main = join(work, "main.cjs");
const ascii = readFileSync(main, "utf8").replace(
  /[\u0080-\uffff]/g,
  (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
);
writeFileSync(main, `(function(exports,require,module,__filename,__dirname){${ascii}\n})`, "latin1");
writeFileSync(join(work, "warm.cjs"), warmSource);
writeFileSync(join(work, "boot.cjs"), bootSource(manifest.version, commit));
execFileSync(process.execPath, [join(work, "warm.cjs"), main, join(work, "main.cache")], {
  cwd: root,
  stdio: ["ignore", "ignore", "inherit"],
});

const embedded: Record<string, string> = { "main.cache": join(work, "main.cache") };
for (const name of Object.keys(bundles)) embedded[name] = join(work, name);
for (const [name, file] of Object.entries(assets)) embedded[name] = join(root, file);
writeFileSync(
  join(work, "sea.json"),
  JSON.stringify({
    main: join(work, "boot.cjs"),
    output: join(work, "sea.blob"),
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // A small young generation: docs/performance.md has what it saves and what it costs.
    execArgv: ["--max-old-space-size=4096", "--max-semi-space-size=8", "--no-warnings"],
    execArgvExtension: "none",
    assets: embedded,
  }),
);
execFileSync(process.execPath, ["--experimental-sea-config", join(work, "sea.json")], {
  stdio: ["ignore", "ignore", "inherit"],
});

const partial = join(work, "capstan");
copyFileSync(process.execPath, partial);
chmodSync(partial, 0o755);
execFileSync("strip", [partial]); // before the blob is put in: strip would drop it
execFileSync(
  process.execPath,
  [
    join(root, "node_modules/postject/dist/cli.js"),
    partial,
    "NODE_SEA_BLOB",
    join(work, "sea.blob"),
    "--sentinel-fuse",
    "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2",
  ],
  { stdio: "ignore" }, // it warns about sections that strip has removed
);

renameSync(partial, executable); // at once: who runs the old one keeps it
rmSync(work, { recursive: true });
console.log(`dist/capstan: ${(statSync(executable).size / 1_048_576).toFixed(1)} MiB, ${commit.slice(0, 12)}`);
