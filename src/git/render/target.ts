/**
 * One kustomization directory: gathers its resources, bases and components, runs its generators, then its transformers, in
 * kustomize's order. What it makes is handed to the kustomization that refers to it.
 */
import { posix } from "node:path";
import { Accumulator } from "./accumulator.ts";
import { builtinTransforms } from "./builtin-transforms.ts";
import { crdConfig } from "./crd-config.ts";
import { generate, withGlobalOptions } from "./generators.ts";
import {
  completeKustomization,
  componentKind,
  type Kustomization,
  kustomizationFileNames,
  parseKustomization,
} from "./kustomization.ts";
import type { Loader } from "./loader.ts";
import { addOrigin, addTransformation, annotateOrigin, joinOrigin, type Origin, originPath } from "./origin.ts";
import { type PluginContext, pluginGenerator, pluginTransformer } from "./plugins.ts";
import { readResources } from "./read-resources.ts";
import { during, RenderError, wrapError } from "./render-error.ts";
import type { Resource } from "./resource.ts";
import type { Schemas } from "./schema.ts";
import { loadConfig } from "./transformer-config.ts";
import type { Transform } from "./transformers/transformer.ts";
import { markVariables } from "./transformers/variables.ts";
import { treeText } from "./yaml/tree-text.ts";

/** A transformer and what is noted of it in objects when origins are kept. */
export interface NotedTransform {
  readonly transform: Transform;
  readonly origin: Origin | undefined;
}

interface Surroundings {
  readonly schemas: Schemas;
  /** The directory relative to where the render began; undefined when origins are not kept. */
  readonly originDirectory: string | undefined;
}

/** What a caller may change in the kustomization where the render begins. */
export interface RootOptions {
  readonly amend?: (kustomization: Kustomization) => void;
  /** Told of each resource that cannot be added; without it the first one ends the render. */
  readonly onProblem?: (path: string, error: Error) => void;
}

export class Target {
  readonly kustomization: Kustomization;
  readonly #loader: Loader;
  readonly #fileName: string;
  readonly #schemas: Schemas;
  readonly #originDirectory: string | undefined;
  #onProblem: RootOptions["onProblem"];

  constructor(loader: Loader, { schemas, originDirectory }: Surroundings, file = loadKustomization(loader)) {
    this.#loader = loader;
    this.#fileName = file.fileName;
    this.#schemas = schemas;
    this.#originDirectory = originDirectory;
    this.kustomization = file.kustomization;
  }

  /** Where a render begins; its objects carry origins when its own `buildMetadata` asks for any. */
  static root(
    loader: Loader,
    schemas: Schemas,
    { amend, onProblem }: RootOptions = {},
    file = loadKustomization(loader),
  ): Target {
    amend?.(file.kustomization);
    const isNoted = (file.kustomization.buildMetadata ?? []).length > 0;
    const target = new Target(loader, { schemas, originDirectory: isNoted ? "" : undefined }, file);
    target.#onProblem = onProblem;
    return target;
  }

  /** A kustomization that nobody wrote, of the given resources. */
  static generated(loader: Loader, schemas: Schemas, resources: string[], options: RootOptions): Target {
    const kustomization = completeKustomization({ resources }, loader.root);
    return Target.root(loader, schemas, options, { fileName: kustomizationFileNames[0], kustomization });
  }

  useSchema(isRoot: boolean): void {
    const openapi = this.kustomization.openapi ?? new Map<string, string>();
    const path = openapi.get("path");
    this.#schemas.use(openapi, path === undefined ? undefined : this.#loader.loadText(path), isRoot);
  }

  get #file(): string {
    return posix.join(this.#loader.root, this.#fileName);
  }

  get #context(): PluginContext {
    return { loader: this.#loader, schemas: this.#schemas, file: this.#file };
  }

  accumulate(into = new Accumulator()): Accumulator {
    const { resources = [], configurations = [], crds = [], components = [], vars = [] } = this.kustomization;
    during("accumulating resources", () => this.#addResources(into, resources));
    into.mergeConfig(loadConfig(configurations.map((path) => this.#loader.loadText(path))));
    for (const path of crds)
      into.mergeConfig(during(`loading CRDs [${path}]`, () => crdConfig(path, this.#loader.loadText(path))));
    this.#runGenerators(into);
    during("accumulating components", () => {
      for (const path of components) this.#addDirectory(into, this.#loader.child(path), path, true);
    });
    this.#runTransformers(into);
    this.#runValidators(into);
    during("merging vars", () => into.variables.add(markVariables(into.list, vars)));
    return into;
  }

  #addResources(into: Accumulator, paths: readonly string[]): void {
    for (const path of paths) {
      try {
        this.#addResource(into, path);
      } catch (error) {
        if (this.#onProblem === undefined) throw error;
        this.#onProblem(path, error as Error);
      }
    }
  }

  #addResource(into: Accumulator, path: string): void {
    let fileProblem: Error;
    try {
      return this.#addFile(into, path);
    } catch (error) {
      fileProblem = error as Error;
    }
    this.#addBase(into, path, fileProblem);
  }

  /** What could not be read as a file may be a directory. */
  #addBase(into: Accumulator, path: string, fileProblem: Error): void {
    let base: Loader;
    try {
      base = this.#loader.child(path);
    } catch (error) {
      if (fileProblem.message.includes("MalformedYAMLError")) throw fileProblem;
      throw wrapError(error, `accumulation err='${fileProblem.message}'`);
    }
    during(`accumulation err='${fileProblem.message}'`, () => this.#addDirectory(into, base, path, false));
  }

  #addFile(into: Accumulator, path: string): void {
    const items = during(`accumulating resources from '${path}'`, () => this.#readFile(path));
    if (this.#originDirectory !== undefined) annotateOrigin(items, { path: joinOrigin(this.#originDirectory, path) });
    during(`merging resources from '${path}'`, () => into.append(items));
  }

  #readFile(path: string): Resource[] {
    const text = this.#loader.loadText(path);
    const file = posix.isAbsolute(path) ? path : posix.join(this.#loader.root, path);
    try {
      const items = readResources(text, { file }, this.#schemas);
      new Accumulator().append(items);
      return items;
    } catch (error) {
      if (error instanceof RenderError && error.message.includes("MalformedYAMLError"))
        throw new RenderError(`${error.message} in File: ${path}`, { cause: error });
      throw error;
    }
  }

  #addDirectory(into: Accumulator, loader: Loader, path: string, isComponent: boolean): void {
    const originDirectory = this.#originDirectory === undefined ? undefined : joinOrigin(this.#originDirectory, path);
    const target = during(
      `couldn't make target for path '${loader.root}'`,
      () => new Target(loader, { schemas: this.#schemas, originDirectory }),
    );
    target.useSchema(false);
    requireExpectedKind(target.kustomization.kind ?? "", loader.root, isComponent);
    during(`recursed accumulation of path '${loader.root}'`, () => {
      if (isComponent) target.accumulate(into);
      else into.merge(target.accumulate());
    });
  }

  #runGenerators(into: Accumulator): void {
    const { configMapGenerator = [], secretGenerator = [], generatorOptions, generators = [] } = this.kustomization;
    const load = (path: string): Uint8Array => this.#loader.load(path);
    const jobs = (
      [
        ["ConfigMap", configMapGenerator],
        ["Secret", secretGenerator],
      ] as const
    ).flatMap(([kind, entries]) =>
      entries.map((entry) => ({
        origin: this.#builtinOrigin(`${kind}Generator`),
        run: () => [
          generate({
            kind,
            entry: withGlobalOptions(entry, generatorOptions),
            load,
            source: { file: this.#file, generator: `${kind}Generator` },
            scopes: this.#schemas,
          }),
        ],
      })),
    );
    const external = during("loading generator plugins", () =>
      this.#plugins(generators).map((plugin) => ({
        origin: this.#pluginOrigin(plugin),
        run: pluginGenerator(plugin, this.#context),
      })),
    );
    for (const { origin, run } of [...jobs, ...external]) {
      const items = run();
      if (origin !== undefined) addOrigin(items, origin);
      during("merging from generator", () => into.list.absorb(items));
    }
  }

  /** Objects that configure plugins, written inline or in files. */
  #plugins(entries: readonly string[]): Resource[] {
    const gathered = new Accumulator();
    const paths: string[] = [];
    for (const entry of entries) {
      const items = readInline(entry, this.#file, this.#schemas);
      if (items === undefined) paths.push(entry);
      else {
        if (this.#originDirectory !== undefined)
          annotateOrigin(items, { path: joinOrigin(this.#originDirectory, this.#fileName) });
        gathered.append(items);
      }
    }
    this.#addResources(gathered, paths);
    return gathered.list.items;
  }

  #builtinOrigin(kind: string): Origin | undefined {
    if (this.#originDirectory === undefined) return undefined;
    return {
      configuredIn: joinOrigin(this.#originDirectory, this.#fileName),
      configuredBy: { apiVersion: "builtin", kind },
    };
  }

  #pluginOrigin(plugin: Resource): Origin | undefined {
    const path = originPath(plugin);
    if (path === undefined) return undefined;
    const { apiVersion, kind, name, namespace } = plugin;
    return { configuredIn: path, configuredBy: { apiVersion, kind, name, namespace } };
  }

  #pluginTransforms(entries: readonly string[]): NotedTransform[] {
    return this.#plugins(entries).map((plugin) => ({
      origin: this.#pluginOrigin(plugin),
      transform: pluginTransformer(plugin, this.#context),
    }));
  }

  #runTransformers(into: Accumulator): void {
    const builtin = builtinTransforms(this.kustomization, into.config, this.#context).map(({ kind, transform }) => ({
      origin: this.#builtinOrigin(kind),
      transform,
    }));
    for (const { transform, origin } of [
      ...builtin,
      ...this.#pluginTransforms(this.kustomization.transformers ?? []),
    ]) {
      transform(into.list);
      if (origin !== undefined) addTransformation(into.list.items, origin);
      into.list.dropEmpty();
    }
  }

  /** A validator is a transformer that must change nothing but the mark `validated-by`. */
  #runValidators(into: Accumulator): void {
    for (const { transform } of this.#pluginTransforms(this.kustomization.validators ?? [])) {
      const before = into.list.items.map(snapshot).sort();
      transform(into.list);
      const after = into.list.items.map(snapshotWithoutMark).sort();
      if (before.length !== after.length || before.some((text, index) => text !== after[index]))
        throw new RenderError("validator shouldn't modify the resource map");
    }
  }
}

const snapshot = (item: Resource): string => treeText(item.root!);

function snapshotWithoutMark(item: Resource): string {
  const copy = item.copy();
  const { labels } = copy;
  if (labels.delete("validated-by")) copy.setLabels(labels);
  return snapshot(copy);
}

function readInline(entry: string, file: string, schemas: Schemas): Resource[] | undefined {
  try {
    return readResources(entry, { file }, schemas);
  } catch {
    return undefined;
  }
}

interface KustomizationFile {
  readonly fileName: string;
  readonly kustomization: Kustomization;
}

function loadKustomization(loader: Loader): KustomizationFile {
  const found = kustomizationFileNames.filter((fileName) => {
    try {
      loader.load(fileName);
      return true;
    } catch {
      return false;
    }
  });
  if (found.length > 1) throw new RenderError(`Found multiple kustomization files under: ${loader.root}`);
  const [fileName] = found;
  if (fileName === undefined)
    throw new RenderError(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${loader.root}'`,
    );
  return { fileName, kustomization: parseKustomization(loader.loadText(fileName), loader.root) };
}

function requireExpectedKind(kind: string, root: string, isComponent: boolean): void {
  if (isComponent && kind !== componentKind)
    throw new RenderError(`expected kind '${componentKind}' for path '${root}' but got '${kind}'`);
  if (!isComponent && kind === componentKind)
    throw new RenderError(`expected kind != '${componentKind}' for path '${root}'`);
}
