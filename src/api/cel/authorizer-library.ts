/** Questions of rights in CEL: `authorizer.group('').resource('pods').check('get').allowed()`. Upstream: apiserver/pkg/cel/library/authz.go. */
import { type Declaration, type Functions, functionsOf } from "./functions.ts";
import { opaque } from "./types.ts";
import { CelError, Opaque } from "./value.ts";

export interface AuthorizerQuestion {
  /** Of a service account; undefined: of who made the request. */
  serviceAccount: { namespace: string; name: string } | undefined;
  verb: string;
  /** Set for what is no resource. */
  path?: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  fieldSelector?: string;
  labelSelector?: string;
}

export interface AuthorizerAnswer {
  decision: "allow" | "deny" | "no-opinion";
  reason: string;
  error?: string;
}

export type Ask = (question: AuthorizerQuestion) => AuthorizerAnswer;

const name = (kind: string): string => `kubernetes.authorization.${kind}`;

abstract class Step extends Opaque {
  equals(other: unknown): boolean {
    return other === this;
  }
}

export class AuthorizerValue extends Step {
  readonly typeName = name("Authorizer");
  readonly ask: Ask;
  readonly serviceAccount: AuthorizerQuestion["serviceAccount"];

  constructor(ask: Ask, serviceAccount?: AuthorizerQuestion["serviceAccount"]) {
    super();
    this.ask = ask;
    this.serviceAccount = serviceAccount;
  }
}

class PathCheck extends Step {
  readonly typeName = name("PathCheck");
  readonly authorizer: AuthorizerValue;
  readonly path: string;

  constructor(authorizer: AuthorizerValue, path: string) {
    super();
    if (path.trim() === "") throw new CelError("path must not be empty");
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck extends Step {
  readonly typeName = name("GroupCheck");
  readonly authorizer: AuthorizerValue;
  readonly group: string;

  constructor(authorizer: AuthorizerValue, group: string) {
    super();
    this.authorizer = authorizer;
    this.group = group;
  }
}

type Place = Omit<AuthorizerQuestion, "verb" | "serviceAccount" | "path">;

export class ResourceCheck extends Step {
  readonly typeName = name("ResourceCheck");
  readonly authorizer: AuthorizerValue;
  readonly place: Place;

  constructor(authorizer: AuthorizerValue, place: Place) {
    super();
    this.authorizer = authorizer;
    this.place = place;
  }
}

class Decision extends Step {
  readonly typeName = name("Decision");
  readonly answer: AuthorizerAnswer;

  constructor(answer: AuthorizerAnswer) {
    super();
    this.answer = answer;
  }
}

const nowhere = { group: "", resource: "", subresource: "", namespace: "", name: "" };

function resourceOf({ authorizer, group }: GroupCheck, resource: string): ResourceCheck {
  if (resource.trim() === "") throw new CelError("resource must not be empty");
  return new ResourceCheck(authorizer, { ...nowhere, group, resource });
}

function checked(
  authorizer: AuthorizerValue,
  verb: string,
  place: Omit<AuthorizerQuestion, "verb" | "serviceAccount">,
): Decision {
  const { ask, serviceAccount } = authorizer;
  return new Decision(ask({ ...place, verb, serviceAccount }));
}

const narrowed =
  (field: keyof Place) =>
  ({ authorizer, place }: ResourceCheck, value: string): ResourceCheck =>
    new ResourceCheck(authorizer, { ...place, [field]: value });

const [authorizer, pathCheck, groupCheck, resourceCheck, decision] = [
  "Authorizer",
  "PathCheck",
  "GroupCheck",
  "ResourceCheck",
  "Decision",
].map(name) as [string, string, string, string, string];

const narrowings = ["subresource", "namespace", "name", "fieldSelector", "labelSelector"] as const;

const declarations: readonly Declaration[] = [
  [`${authorizer}.path(string): ${pathCheck}`, (one: AuthorizerValue, path: string) => new PathCheck(one, path)],
  [`${authorizer}.group(string): ${groupCheck}`, (one: AuthorizerValue, group: string) => new GroupCheck(one, group)],
  [
    `${authorizer}.serviceAccount(string, string): ${authorizer}`,
    ({ ask }: AuthorizerValue, namespace: string, account: string) =>
      new AuthorizerValue(ask, { namespace, name: account }),
  ],
  [`${groupCheck}.resource(string): ${resourceCheck}`, resourceOf],
  ...narrowings.map((field): Declaration => [`${resourceCheck}.${field}(string): ${resourceCheck}`, narrowed(field)]),
  [
    `${resourceCheck}.check(string): ${decision}`,
    ({ authorizer: one, place }: ResourceCheck, verb: string) => checked(one, verb, place),
  ],
  [
    `${pathCheck}.check(string): ${decision}`,
    ({ authorizer: one, path }: PathCheck, verb: string) => checked(one, verb, { ...nowhere, path }),
  ],
  [`${decision}.allowed(): bool`, ({ answer }: Decision) => answer.decision === "allow"],
  [`${decision}.reason(): string`, ({ answer }: Decision) => answer.reason],
  [`${decision}.errored(): bool`, ({ answer }: Decision) => answer.error !== undefined],
  [`${decision}.error(): string`, ({ answer }: Decision) => answer.error ?? ""],
];

export const authorizerFunctions: Functions = functionsOf(declarations);
export const authorizerType = opaque(authorizer);
export const resourceCheckType = opaque(resourceCheck);
