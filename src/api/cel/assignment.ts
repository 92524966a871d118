/** Which type may stand for which, and what that says of types that are still open. Upstream: google/cel-go checker/types.go. */
import { type CelType, areAlike, isDynamic, types } from "./types.ts";

/** What is known of open types, by name. */
type Known = Map<string, CelType>;

const nullable = new Set(["object", "timestamp", "duration", "opaque", "null", "optional_type"]);
const isOpen = ({ kind }: CelType): boolean => kind === "param";

/** The open types of one expression. */
export class OpenTypes {
  #known: Known = new Map();
  #count = 0;

  fresh(): CelType {
    this.#count += 1;
    return { kind: "param", name: `_var${this.#count}` };
  }

  /** With open types of its own in place of the letters of a declaration. */
  instance(declared: readonly CelType[]): CelType[] {
    const own = new Map<string, CelType>();
    const renamed = (type: CelType): CelType => {
      if (isOpen(type)) {
        const known = own.get(type.name!) ?? this.fresh();
        own.set(type.name!, known);
        return known;
      }
      return type.of === undefined ? type : { ...type, of: type.of.map(renamed) };
    };
    return declared.map(renamed);
  }

  /** Whether values of these types may stand for those; if so, what that tells is kept. */
  assign(actual: readonly CelType[], wanted: readonly CelType[]): boolean {
    const known = new Map(this.#known);
    if (!actual.every((type, index) => isAssignable(known, type, wanted[index]!))) return false;
    this.#known = known;
    return true;
  }

  /** What is known of a type so far. */
  resolved(type: CelType): CelType {
    const found = isOpen(type) ? this.#known.get(type.name!) : undefined;
    if (found !== undefined) return this.resolved(found);
    return type.of === undefined ? type : { ...type, of: type.of.map((one) => this.resolved(one)) };
  }

  /** What stays open may be anything. */
  settled(type: CelType): CelType {
    const known = this.resolved(type);
    if (isOpen(known)) return types.dyn;
    return known.of === undefined ? known : { ...known, of: known.of.map((one) => this.settled(one)) };
  }

  /** One type for both; dyn where there is none. */
  joined(a: CelType, b: CelType): CelType {
    return this.assign([a], [b]) ? mostGeneral(a, b) : types.dyn;
  }
}

function isAssignable(known: Known, actual: CelType, wanted: CelType): boolean {
  if (isOpen(wanted)) {
    const { isValid, wasKnown } = substitution(known, actual, wanted);
    if (isValid || wasKnown) return isValid;
  }
  if (isOpen(actual)) return substitution(known, wanted, actual).isValid;
  if (isDynamic(actual) || isDynamic(wanted)) return true;
  if (actual.kind === "null") return nullable.has(wanted.kind) || wanted.isNullable === true;
  if (wanted.kind === "null") return nullable.has(actual.kind) || actual.isNullable === true;
  if (wanted.kind !== actual.kind) return false;
  if (wanted.kind === "object" || wanted.kind === "opaque") return wanted.name === actual.name;
  if (wanted.kind === "type") return true;
  return (wanted.of ?? []).every((one, index) => isAssignable(known, actual.of?.[index] ?? types.dyn, one));
}

/** Whether an open type can be this one; of what it was known to be, the more general stays. */
function substitution(known: Known, type: CelType, open: CelType): { isValid: boolean; wasKnown: boolean } {
  if (isOpen(type) && type.name === open.name) return { isValid: true, wasKnown: true };
  const before = known.get(open.name!);
  if (before === undefined) {
    const isFree = !refersTo(known, type, open);
    if (isFree) known.set(open.name!, type);
    return { isValid: isFree, wasKnown: false };
  }
  if (!isAssignable(known, type, before)) return { isValid: false, wasKnown: true };
  const general = mostGeneral(type, before);
  if (!refersTo(known, general, open)) known.set(open.name!, general);
  return { isValid: true, wasKnown: true };
}

function refersTo(known: Known, type: CelType, open: CelType): boolean {
  if (isOpen(type)) {
    if (type.name === open.name) return true;
    const before = known.get(type.name!);
    return before !== undefined && refersTo(known, before, open);
  }
  return (type.of ?? []).some((one) => refersTo(known, one, open));
}

const mostGeneral = (a: CelType, b: CelType): CelType => (isAtLeastAsGeneral(a, b) ? a : b);

function isAtLeastAsGeneral(a: CelType, b: CelType): boolean {
  if (isDynamic(a) || isOpen(a)) return true;
  if (isDynamic(b) || isOpen(b) || a.kind !== b.kind) return false;
  if (a.of === undefined) return areAlike(a, b);
  return a.of.every((one, index) => isAtLeastAsGeneral(one, b.of?.[index] ?? types.dyn));
}
