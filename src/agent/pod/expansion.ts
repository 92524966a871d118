/** $(NAME) in commands, arguments and values; $$ stands for $. Upstream: third_party/forked/golang/expansion. */

/** An unknown name stays as it was written. */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, _inner: string, name: string | undefined) => {
    if (name === undefined) return "$";
    return lookUp(name) ?? whole;
  });
}

/** For subPathExpr, where an unknown name is an error. */
export function expandStrictly(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (_whole, _inner: string, name: string | undefined) => {
    if (name === undefined) return "$";
    const value = lookUp(name);
    if (value === undefined) throw new Error(`missing value for ${JSON.stringify(name).slice(1, -1)}`);
    return value;
  });
}
