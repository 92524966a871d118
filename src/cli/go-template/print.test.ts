import { expect, test } from "vitest";
import { functions } from "./functions.ts";
import { parseTemplate } from "./parse.ts";
import { executeTemplate } from "./print.ts";

const data = { name: "web", n: 3, list: ["a", "b"], labels: { y: "2", x: "1" }, nested: { deep: { value: true } } };
const print = (text: string) => executeTemplate(parseTemplate(text, new Set(Object.keys(functions))), data);

test.each([
  ["{{.name}}-{{.n}}", "web-3"],
  ["{{.missing}}", "<no value>"],
  ["{{.missing.deeper.still}}", "<no value>"],
  ["{{range $i, $x := .list}}{{if $i}},{{end}}{{$x}}{{end}}", "a,b"],
  ["{{range .missing}}x{{else}}none{{end}}", "none"],
  ['{{range .list}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', "a"],
  ["{{with .nested.deep}}{{.value}}{{end}}", "true"],
  ["{{if .missing}}1{{else if .n}}2{{else}}3{{end}}", "2"],
  ["{{$x := .name}}{{range .list}}{{$x}}{{.}} {{end}}", "weba webb "],
  ["a {{- .name -}} b", "awebb"],
  ["{{/* nothing */}}{{`raw`}}", "raw"],
  ['{{printf "%5s|%-4d|%q" .name .n .name}}', '  web|3   |"web"'],
  ['{{define "T"}}<{{.}}>{{end}}{{template "T" .name}}', "<web>"],
  ['{{.name | len | printf "%d"}}', "3"],
  ['{{(index .list 1)}}{{(index .labels "y")}}', "b2"],
  ['{{"}}"}}', "}}"],
])("%s prints %s", (text, wanted) => expect(print(text)).toBe(wanted));

test("a key that may not miss is named", () => {
  const strict = parseTemplate("{{.nested.gone}}", new Set(Object.keys(functions)));
  expect(() => executeTemplate(strict, data, false)).toThrow('map has no entry for key "gone"');
});

test.each([
  "{{.name",
  "{{if .name}}",
  "{{end}}",
  "{{nothing 1}}",
  "{{template}}",
  "{{.n.x}}",
  "{{index .list 7}}",
  "{{$x}}",
])("%s is refused", (text) => expect(() => print(text)).toThrow());

test("a template that calls itself ends", () => {
  expect(() => print('{{define "T"}}{{template "T" .}}{{end}}{{template "T" .}}')).toThrow("maximum template depth");
});
