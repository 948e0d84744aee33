// Left out of fuzzing, which needs no contract.
//go:build !fuzz

package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"vidimus/docs"
)

// openAPI is a description of an API, OpenAPI 3.1, that exchanges are held against. Its
// schemas are JSON Schema 2020-12, for which there is a library; what stands around them is
// read here.
type openAPI struct {
	root     map[string]any
	compiler *jsonschema.Compiler
	paths    []openAPIPath
	gate     sync.Mutex
	schemas  map[string]*jsonschema.Schema // by pointer
}

// openAPIPath is one path with the expression that finds it.
type openAPIPath struct {
	template string
	match    *regexp.Regexp
	names    []string // of its parameters, in order
	literal  int      // how much of it is no parameter: more is closer
}

// openAPINode is a part of the document and the JSON pointer to it.
type openAPINode struct {
	pointer string
	value   map[string]any
}

const openAPIAddress = "contract:///openapi.json"

var contract = sync.OnceValues(func() (*openAPI, error) { return readOpenAPI(docs.OpenAPI) })

var pathParameter = regexp.MustCompile(`\{([a-z]+)\}`)

func readOpenAPI(text []byte) (*openAPI, error) {
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	plain, err := json.Marshal(v) // fails for what JSON does not have
	if err != nil {
		return nil, err
	}
	if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(plain)); err != nil {
		return nil, err
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the contract is no object")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(openAPIAddress, root); err != nil {
		return nil, err
	}
	o := &openAPI{root: root, compiler: c, schemas: map[string]*jsonschema.Schema{}}
	paths, _ := root["paths"].(map[string]any)
	for template := range paths {
		p := openAPIPath{template: template, literal: len(pathParameter.ReplaceAllString(template, ""))}
		expression, last := "^", 0
		for _, at := range pathParameter.FindAllStringSubmatchIndex(template, -1) {
			p.names = append(p.names, template[at[2]:at[3]])
			expression += regexp.QuoteMeta(template[last:at[0]]) + "([^/]+)"
			last = at[1]
		}
		p.match = regexp.MustCompile(expression + regexp.QuoteMeta(template[last:]) + "$")
		o.paths = append(o.paths, p)
	}
	slices.SortFunc(o.paths, func(a, b openAPIPath) int { return b.literal - a.literal })
	return o, nil
}

// follow returns a member of a node; a reference in its place is followed.
func (o *openAPI) follow(n openAPINode, name string) (openAPINode, bool) {
	v, ok := n.value[name].(map[string]any)
	if !ok {
		return openAPINode{}, false
	}
	return o.resolve(openAPINode{n.pointer + "/" + escapePointer(name), v})
}

func (o *openAPI) resolve(n openAPINode) (openAPINode, bool) {
	ref, ok := n.value["$ref"].(string)
	if !ok {
		return n, true
	}
	at, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return n, false
	}
	var v any = o.root
	for _, part := range strings.Split(strings.TrimPrefix(at, "/"), "/") {
		object, isObject := v.(map[string]any)
		if v, ok = object[unescapePointer(part)]; !isObject || !ok {
			return n, false
		}
	}
	value, ok := v.(map[string]any)
	return openAPINode{at, value}, ok
}

func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

func unescapePointer(s string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}

// schema compiles the schema at a pointer, which checks it against the meta-schema.
func (o *openAPI) schema(pointer string) (*jsonschema.Schema, error) {
	o.gate.Lock()
	defer o.gate.Unlock()
	if s := o.schemas[pointer]; s != nil {
		return s, nil
	}
	s, err := o.compiler.Compile(openAPIAddress + "#" + (&url.URL{Path: pointer}).EscapedPath())
	if err == nil {
		o.schemas[pointer] = s
	}
	return s, err
}

// operation finds the operation of a request, the values of the parameters in its path, and
// the path's own node.
func (o *openAPI) operation(method, path string) (op, item openAPINode, values map[string]string, ok bool) {
	all := openAPINode{"/paths", o.root["paths"].(map[string]any)}
	for _, p := range o.paths {
		found := p.match.FindStringSubmatch(path)
		if found == nil {
			continue
		}
		if item, ok = o.follow(all, p.template); !ok {
			continue
		}
		if op, ok = o.follow(item, strings.ToLower(method)); !ok {
			continue
		}
		values = map[string]string{}
		for n, name := range p.names {
			v, err := url.PathUnescape(found[n+1])
			if err != nil {
				v = found[n+1]
			}
			values[name] = v
		}
		return op, item, values, true
	}
	return op, item, nil, false
}

// checkAnswer holds an answer against the operation: status, headers, media type, body.
func (o *openAPI) checkAnswer(op openAPINode, r *http.Response, body []byte) error {
	responses, _ := o.follow(op, "responses")
	answer, ok := o.follow(responses, strconv.Itoa(r.StatusCode))
	if !ok {
		if answer, ok = o.follow(responses, "default"); !ok {
			return fmt.Errorf("the status %d is not in the contract", r.StatusCode)
		}
	}
	headers, _ := o.follow(answer, "headers")
	for name := range headers.value {
		h, _ := o.follow(headers, name)
		given := r.Header.Get(name)
		if given == "" {
			if h.value["required"] == true {
				return fmt.Errorf("the header %s is missing", name)
			}
			continue
		}
		if err := o.checkText(h, given); err != nil {
			return fmt.Errorf("the header %s: %w", name, err)
		}
	}
	content, ok := o.follow(answer, "content")
	if !ok {
		if len(body) > 0 {
			return fmt.Errorf("the contract has no body for status %d", r.StatusCode)
		}
		return nil
	}
	return o.checkBody(content, r.Header.Get("Content-Type"), body)
}

// checkBody holds a body against the media types of a content node.
func (o *openAPI) checkBody(content openAPINode, contentType string, body []byte) error {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("the media type %q: %w", contentType, err)
	}
	family, _, _ := strings.Cut(kind, "/")
	var media openAPINode
	ok := false
	for _, covers := range []string{kind, family + "/*", "*/*"} {
		if media, ok = o.follow(content, covers); ok {
			break
		}
	}
	if !ok {
		media, ok = o.follow(content, "*/*") // of files, whose type is the company's matter
	}
	if !ok {
		return fmt.Errorf("the media type %s is not in the contract, which has %v", kind, slices.Collect(maps.Keys(content.value)))
	}
	if kind != "application/json" || media.value["schema"] == nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	s, err := o.schema(media.pointer + "/schema")
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// checkText holds the text of a parameter or a header against its schema, as the type that
// the schema names.
func (o *openAPI) checkText(n openAPINode, text string) error {
	if n.value["schema"] == nil {
		return nil
	}
	named, _ := o.follow(n, "schema")
	var v any = text
	switch named.value["type"] {
	case "integer", "number":
		v = json.Number(text)
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return fmt.Errorf("%q is no number", text)
		}
	case "boolean":
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v = b
	}
	s, err := o.schema(n.pointer + "/schema")
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// parameters are those of an operation and of its path, by place and name.
func (o *openAPI) parameters(op, item openAPINode) ([]openAPINode, error) {
	var all []openAPINode
	for _, n := range []openAPINode{item, op} {
		list, _ := n.value["parameters"].([]any)
		for i, p := range list {
			v, _ := p.(map[string]any)
			found, ok := o.resolve(openAPINode{fmt.Sprintf("%s/parameters/%d", n.pointer, i), v})
			if !ok {
				return nil, fmt.Errorf("%s/parameters/%d leads nowhere", n.pointer, i)
			}
			all = append(all, found)
		}
	}
	return all, nil
}

// checkRequest holds a request against the operation: parameters and body.
func (o *openAPI) checkRequest(op, item openAPINode, values map[string]string, r *http.Request, body []byte) error {
	all, err := o.parameters(op, item)
	if err != nil {
		return err
	}
	for _, p := range all {
		name, _ := p.value["name"].(string)
		var given []string
		switch p.value["in"] {
		case "path":
			given = []string{values[name]}
		case "query":
			given = r.URL.Query()[name]
		case "header":
			given = r.Header.Values(name)
		}
		if len(given) == 0 && p.value["required"] == true {
			return fmt.Errorf("the parameter %s is missing", name)
		}
		for _, v := range given {
			if err := o.checkText(p, v); err != nil {
				return fmt.Errorf("the parameter %s: %w", name, err)
			}
		}
	}
	wants, ok := o.follow(op, "requestBody")
	if !ok {
		return nil
	}
	if len(body) == 0 {
		if wants.value["required"] == true {
			return fmt.Errorf("the body is missing")
		}
		return nil
	}
	content, _ := o.follow(wants, "content")
	return o.checkBody(content, r.Header.Get("Content-Type"), body)
}
