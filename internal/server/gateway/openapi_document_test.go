// Left out of fuzzing, which needs no contract.
//go:build !fuzz

package gateway_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vidimus/docs"
)

// members are those that the objects of OpenAPI 3.1 which we use may have.
var members = map[string][]string{
	"document":  {"openapi", "info", "servers", "tags", "paths", "webhooks", "components"},
	"path":      {"parameters", "summary", "description", "get", "post", "put", "delete", "head"},
	"operation": {"operationId", "tags", "summary", "description", "parameters", "requestBody", "responses", "security"},
	"parameter": {"name", "in", "description", "required", "deprecated", "schema", "example", "examples"},
	"body":      {"description", "content", "required"},
	"response":  {"description", "headers", "content"},
	"header":    {"description", "required", "schema", "example"},
	"media":     {"schema", "example", "examples"},
}

var statusCode = regexp.MustCompile(`^([1-5]([0-9][0-9]|XX)|default)$`)

// wrongs lists what is wrong with the document by the rules of OpenAPI 3.1.
func (o *openAPI) wrongs() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	only := func(kind string, n openAPINode) {
		for name := range n.value {
			if !slices.Contains(members[kind], name) && !strings.HasPrefix(name, "x-") {
				say("%s: a %s has no member %s", n.pointer, kind, name)
			}
		}
	}
	schema := func(pointer string) {
		if _, err := o.schema(pointer); err != nil {
			say("%s: %v", pointer, err)
		}
	}
	content := func(n openAPINode) {
		all, _ := o.follow(n, "content")
		for kind := range all.value {
			media, ok := o.follow(all, kind)
			only("media", media)
			if !ok || !strings.Contains(kind, "/") {
				say("%s: %s is no media type", n.pointer, kind)
			}
			if media.value["schema"] != nil {
				schema(media.pointer + "/schema")
			}
		}
	}
	response := func(n openAPINode) {
		only("response", n)
		if text, _ := n.value["description"].(string); text == "" {
			say("%s: a response needs a description", n.pointer)
		}
		headers, _ := o.follow(n, "headers")
		for name := range headers.value {
			h, _ := o.follow(headers, name)
			only("header", h)
			schema(h.pointer + "/schema")
		}
		content(n)
	}
	only("document", openAPINode{"", o.root})
	if version, _ := o.root["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
		say("openapi is %v", o.root["openapi"])
	}
	o.references(o.root, "", say)
	seen := map[string]string{}
	all := slices.Clone(o.paths)
	hooks, _ := o.root["webhooks"].(map[string]any)
	for name := range hooks {
		all = append(all, openAPIPath{template: name})
	}
	for _, p := range all {
		item, ok := o.follow(openAPINode{"/paths", o.root["paths"].(map[string]any)}, p.template)
		if !ok {
			item, _ = o.follow(openAPINode{"/webhooks", hooks}, p.template)
		}
		only("path", item)
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead} {
			op, ok := o.follow(item, strings.ToLower(method))
			if !ok {
				continue
			}
			only("operation", op)
			id, _ := op.value["operationId"].(string)
			if seen[id] != "" || id == "" {
				say("%s: the operationId %q is missing, or that of %s", op.pointer, id, seen[id])
			}
			seen[id] = op.pointer
			o.wrongParameters(p, op, item, only, schema, say)
			if body, ok := o.follow(op, "requestBody"); ok {
				only("body", body)
				content(body)
			}
			responses, _ := o.follow(op, "responses")
			if len(responses.value) == 0 {
				say("%s: no responses", op.pointer)
			}
			for status := range responses.value {
				if !statusCode.MatchString(status) {
					say("%s: %s is no status", op.pointer, status)
				}
				r, _ := o.follow(responses, status)
				response(r)
			}
		}
	}
	schemas, _ := o.follow(openAPINode{"/components", o.root["components"].(map[string]any)}, "schemas")
	for name := range schemas.value {
		schema("/components/schemas/" + escapePointer(name))
	}
	return wrong
}

// references finds those that lead nowhere.
func (o *openAPI) references(v any, at string, say func(string, ...any)) {
	switch v := v.(type) {
	case map[string]any:
		if ref, is := v["$ref"]; is {
			if _, ok := o.resolve(openAPINode{at, v}); !ok {
				say("%s: %v leads nowhere", at, ref)
			}
		}
		for name, member := range v {
			o.references(member, at+"/"+escapePointer(name), say)
		}
	case []any:
		for i, member := range v {
			o.references(member, fmt.Sprintf("%s/%d", at, i), say)
		}
	}
}

func (o *openAPI) wrongParameters(p openAPIPath, op, item openAPINode, only func(string, openAPINode), schema func(string), say func(string, ...any)) {
	all, err := o.parameters(op, item)
	if err != nil {
		say("%v", err)
	}
	var inPath []string
	for _, parameter := range all {
		only("parameter", parameter)
		name, _ := parameter.value["name"].(string)
		switch parameter.value["in"] {
		case "path":
			inPath = append(inPath, name)
			if parameter.value["required"] != true {
				say("%s: a parameter in a path is required", parameter.pointer)
			}
		case "query", "header":
		default:
			say("%s: a parameter in %v", parameter.pointer, parameter.value["in"])
		}
		if parameter.value["schema"] == nil {
			say("%s: no schema", parameter.pointer)
		} else {
			schema(parameter.pointer + "/schema")
		}
	}
	slices.Sort(inPath)
	if want := slices.Sorted(slices.Values(p.names)); !slices.Equal(inPath, want) {
		say("%s: the parameters are %v, the path has %v", op.pointer, inPath, want)
	}
}

func TestTheContractIsValidOpenAPI(t *testing.T) {
	c, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range c.wrongs() {
		t.Error(wrong)
	}
}

// small is a contract that the tests of the checks break in one place each.
const small = `
openapi: 3.1.0
info: { title: t, version: "1" }
paths:
  /a/{number}.zip:
    get:
      operationId: zip
      parameters: [{ name: number, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: d, content: { application/zip: {} } } }
  /a/{number}:
    post:
      operationId: one
      parameters:
        - { name: number, in: path, required: true, schema: { type: string, maxLength: 3 } }
        - { name: limit, in: query, schema: { type: integer, maximum: 9 } }
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/S" } } } }
      responses:
        "200":
          description: d
          headers: { X-Id: { required: true, schema: { type: string } } }
          content: { application/json: { schema: { $ref: "#/components/schemas/S" } } }
components:
  schemas:
    S: { type: object, required: [n], properties: { n: { type: integer } }, additionalProperties: false }
`

func TestAnInvalidContractIsNoticed(t *testing.T) {
	for _, c := range []struct{ old, new string }{
		{"operationId: one", "operationId: zip"},
		{"description: d, content", "content"},
		{"#/components/schemas/S", "#/components/schemas/T"},
		{"name: number, in: path, required: true, schema: { type: string, maxLength: 3 }", "name: other, in: path, required: true, schema: { type: string }"},
		{"type: integer }", "type: whole }"},
		{`"200":`, `"20":`},
		{"requestBody:", "requestbody:"},
		{"openapi: 3.1.0", "openapi: 3.0.0"},
	} {
		o, err := readOpenAPI([]byte(strings.Replace(small, c.old, c.new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if len(o.wrongs()) == 0 {
			t.Errorf("%s is not noticed", c.new)
		}
	}
	o, err := readOpenAPI([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := o.wrongs(); len(wrong) > 0 {
		t.Errorf("the sound one has %q", wrong)
	}
}

func TestAnExchangeThatBreaksTheContractIsNoticed(t *testing.T) {
	o, err := readOpenAPI([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	const asked, answered = `{"n":1}`, `{"n":2}`
	for _, c := range []struct {
		name, query, path, sent, got, kind string
		status                             int
		id, sound                          bool
	}{
		{"sound", "", "/a/1", asked, answered, "application/json; charset=utf-8", 200, true, true},
		{"a path that is longer", "", "/a/1/2", asked, answered, "application/json", 200, true, false},
		{"a parameter that is too long", "", "/a/1234", asked, answered, "application/json", 200, true, false},
		{"a query that is no number", "limit=x", "/a/1", asked, answered, "application/json", 200, true, false},
		{"a query that is too large", "limit=10", "/a/1", asked, answered, "application/json", 200, true, false},
		{"a query", "limit=9", "/a/1", asked, answered, "application/json", 200, true, true},
		{"a request of another type", "", "/a/1", `{"n":"1"}`, answered, "application/json", 200, true, false},
		{"a request without body", "", "/a/1", "", answered, "application/json", 200, true, false},
		{"an answer with more", "", "/a/1", asked, `{"n":1,"m":2}`, "application/json", 200, true, false},
		{"an answer with less", "", "/a/1", asked, `{}`, "application/json", 200, true, false},
		{"an answer of another kind", "", "/a/1", asked, answered, "text/plain", 200, true, false},
		{"another status", "", "/a/1", asked, answered, "application/json", 201, true, false},
		{"a header that is missing", "", "/a/1", asked, answered, "application/json", 200, false, false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.path+"?"+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer := &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.kind}}}
		if c.id {
			answer.Header.Set("X-Id", "1")
		}
		op, item, values, ok := o.operation(r.Method, r.URL.Path)
		if ok {
			err = o.checkAnswer(op, answer, []byte(c.got))
			if err == nil {
				err = o.checkRequest(op, item, values, r, []byte(c.sent))
			}
		}
		if sound := ok && err == nil; sound != c.sound {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if op, _, _, ok := o.operation(http.MethodGet, "/a/1.zip"); !ok || op.value["operationId"] != "zip" {
		t.Error("the path with more letters is not the closer one")
	}
	if _, err := readOpenAPI(append([]byte("paths: {\n"), docs.OpenAPI...)); err == nil {
		t.Error("what is no YAML is read")
	}
}
