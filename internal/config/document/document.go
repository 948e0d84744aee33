// Package document reads one YAML document strictly: what nobody knows, stands twice or
// has the wrong shape is a mistake, and every mistake is reported at once, with file, line, path and
// what is expected there. It decides only about form; what values mean is its callers' business.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest document, in bytes.
const MaxSize = 1 << 20

// maxMistakes is how many mistakes are reported; nobody reads more at a time.
const maxMistakes = 100

// Mistake is one thing that is wrong.
type Mistake struct {
	File     string
	Line     int    // from one; zero: the file as a whole
	Path     string // such as webhooks[0].url; empty: the document as a whole
	Expected string // in words
}

func (m Mistake) String() string {
	var b strings.Builder
	b.WriteString(m.File)
	if m.Line > 0 {
		b.WriteString(":" + strconv.Itoa(m.Line))
	}
	if m.Path != "" {
		b.WriteString(": " + m.Path)
	}
	return b.String() + ": " + m.Expected
}

// Error is every mistake of one document, in the order of its lines. It holds no value of
// the document, which may be a secret.
type Error []Mistake

func (e Error) Error() string {
	lines := make([]string, len(e))
	for i, m := range e {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Document is one document being read.
type Document struct {
	file     string
	root     *yaml.Node
	lines    map[string]int // of every path that was visited
	mistakes []Mistake
}

// Parse reads the one document in data. file is the name that mistakes carry. An empty
// document is one without any key. The error is an Error: not YAML, several documents, anchors,
// aliases, or more than MaxSize.
func Parse(file string, data []byte) (*Document, error) {
	d := &Document{file: file, lines: map[string]int{}}
	refuse := func(line int, expected string) (*Document, error) {
		return nil, Error{{File: file, Line: line, Expected: expected}}
	}
	if len(data) > MaxSize {
		return refuse(0, "at most 1 MiB is expected")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, next yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		d.root = &yaml.Node{Kind: yaml.MappingNode, Line: 1}
		return d, nil
	case err != nil:
		line, text := explain(err)
		return refuse(line, "YAML is expected: "+text)
	}
	if err := decoder.Decode(&next); err == nil {
		return refuse(next.Line, "a single document is expected")
	} else if !errors.Is(err, io.EOF) {
		line, text := explain(err)
		return refuse(line, "YAML is expected: "+text)
	}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		d.root = root.Content[0]
	} else {
		d.root = &root
	}
	if n := anchored(d.root); n != nil {
		return refuse(n.Line, "everything written out is expected: anchors (&) and aliases (*) are not allowed; text that begins with one goes into quotes")
	}
	return d, nil
}

// anchored returns the first node with an anchor or an alias.
func anchored(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n
	}
	for _, c := range n.Content {
		if found := anchored(c); found != nil {
			return found
		}
	}
	return nil
}

var (
	yamlLine = regexp.MustCompile(`^line ([0-9]{1,9}): `)

	// What the parser's stages say that quote nothing of the document. The first counts lines
	// from zero.
	fromParser  = regexp.MustCompile("^did not find expected (<|node content|key|'|,)")
	fromScanner = regexp.MustCompile("^(did not find expected|could not find expected|found unexpected|found character that|mapping values are|" +
		"mapping keys are|block sequence entries|block mapping|found a tab|found unknown escape|found invalid|control characters|invalid )")
)

// explain splits the parser's message into a line and what it says. It may quote the
// document, which must not get out: such text is left away.
func explain(err error) (int, string) {
	line, text := 0, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.TrimPrefix(text, m[0])
	}
	switch {
	case fromParser.MatchString(text):
		line++
	case !fromScanner.MatchString(text):
		text = "this cannot be read"
	}
	return max(1, line), text
}

// Root returns the whole document.
func (d *Document) Root() Value { return Value{doc: d, node: d.root} }

// Add records a mistake at a path. It carries the line of that path, or of the nearest one
// above it that stands in the document.
func (d *Document) Add(path, expected string) { d.add(d.line(path), clean(path), expected) }

// Wrong says whether a mistake is recorded at a path, above it or below it.
func (d *Document) Wrong(path string) bool {
	return slices.ContainsFunc(d.mistakes, func(m Mistake) bool { return within(m.Path, path) || within(path, m.Path) })
}

// within says whether path is the path above, or lies below it. The document as a whole is
// above nothing: that it is wrong says nothing about its parts.
func within(path, above string) bool {
	if above == "" {
		return path == ""
	}
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (d *Document) add(line int, path, expected string) {
	d.mistakes = append(d.mistakes, Mistake{File: d.file, Line: line, Path: path, Expected: expected})
}

func (d *Document) line(path string) int {
	for {
		if line, ok := d.lines[path]; ok {
			return line
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return d.root.Line
		}
		path = path[:i]
	}
}

// Err returns every mistake so far as an Error, in the order of their lines, or nil.
func (d *Document) Err() error {
	if len(d.mistakes) == 0 {
		return nil
	}
	e := slices.Clone(Error(d.mistakes))
	slices.SortStableFunc(e, func(a, b Mistake) int { return a.Line - b.Line })
	if len(e) > maxMistakes {
		more := len(e) - maxMistakes
		e = append(e[:maxMistakes], Mistake{File: d.file, Expected: fmt.Sprintf("there are %d more mistakes", more)})
	}
	return e
}

// Value is one place of a document.
type Value struct {
	doc  *Document
	node *yaml.Node
	path string
}

// Path returns where the value stands, such as webhooks[0].url.
func (v Value) Path() string { return v.path }

// Line returns the line that the value begins in.
func (v Value) Line() int { return v.node.Line }

// Expect records a mistake here.
func (v Value) Expect(expected string) { v.doc.add(v.node.Line, v.path, expected) }

func (v Value) child(path string, n *yaml.Node) Value {
	v.doc.lines[path] = n.Line
	return Value{doc: v.doc, node: n, path: path}
}

// Entries calls f with each key and value of a mapping, in the order of the document.
// Anything but a mapping with keys of plain text, each once, is a mistake.
func (v Value) Entries(f func(key string, value Value)) {
	if v.node.Kind != yaml.MappingNode {
		v.Expect("keys with values are expected")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k := v.node.Content[i]
		key, ok := scalar(k)
		if !ok || key == "" {
			v.doc.add(k.Line, v.path, "a key that is text is expected")
			continue
		}
		path := join(v.path, key)
		if seen[key] {
			v.doc.add(k.Line, path, "every key is expected only once")
			continue
		}
		seen[key] = true
		f(key, v.child(path, v.node.Content[i+1]))
	}
}

// join appends a key to a path, cut and cleaned: it may be anything.
func join(path, key string) string {
	key = clean(key)
	if r := []rune(key); len(r) > 80 {
		key = string(r[:80]) + "…"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// clean makes a path fit for a line of output, whatever its keys are.
func clean(path string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, path)
}

// Fields calls the function of each key that the mapping has; a key without one is a
// mistake.
func (v Value) Fields(known map[string]func(Value)) {
	v.Entries(func(key string, value Value) {
		if f, ok := known[key]; ok {
			f(value)
			return
		}
		value.Expect("this key is not known; one of " + strings.Join(sorted(known), ", ") + " is expected")
	})
}

func sorted(known map[string]func(Value)) []string {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Each calls f with each entry of a list. Anything but a list is a mistake.
func (v Value) Each(f func(i int, entry Value)) {
	if v.node.Kind != yaml.SequenceNode {
		v.Expect("a list is expected")
		return
	}
	for i, n := range v.node.Content {
		f(i, v.child(v.path+"["+strconv.Itoa(i)+"]", n))
	}
}

// IsList says whether the value is a list.
func (v Value) IsList() bool { return v.node.Kind == yaml.SequenceNode }

// scalar returns the text of a plain value. Numbers and dates are the text that they are
// written as: whoever writes a key of digits without quotes means the digits.
func scalar(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		return "", false
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!timestamp":
		return n.Value, true
	}
	return "", false
}

// Text returns the value as text; false, and a mistake, when it is none.
func (v Value) Text() (string, bool) {
	s, ok := scalar(v.node)
	if !ok {
		v.Expect("text is expected; words such as true and null go into quotes")
	}
	return s, ok
}

// Bool returns true or false; the second value is false, and there is a mistake, when it is
// neither.
func (v Value) Bool() (value, ok bool) {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!bool" {
		switch strings.ToLower(v.node.Value) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	v.Expect("true or false is expected")
	return false, false
}

// Scalar returns a text, number, date or boolean as it is written; false, and a mistake,
// when it is none of these.
func (v Value) Scalar() (string, bool) {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!bool" {
		return strings.ToLower(v.node.Value), true
	}
	return v.Text()
}

// Duration returns a duration such as 90d, 24h, 1h30m or 10s; false, and a mistake, when it
// is none.
func (v Value) Duration() (time.Duration, bool) {
	s, ok := scalar(v.node)
	if ok {
		var d time.Duration
		if d, ok = ParseDuration(s); ok {
			return d, true
		}
	}
	v.Expect("a duration such as 90d, 24h or 10s is expected")
	return 0, false
}

var days = regexp.MustCompile(`^([0-9]{1,5})d(.*)$`)

// ParseDuration reads what time.ParseDuration reads, without a sign, and before it whole
// days: 90d, 1d12h. A number without a unit is none, not even zero.
func ParseDuration(s string) (time.Duration, bool) {
	var sum time.Duration
	if m := days.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0, false
		}
		sum = time.Duration(n) * 24 * time.Hour
		if m[2] == "" {
			return sum, true
		}
		s = m[2]
	}
	if s == "0" || strings.ContainsAny(s, "+-") {
		return 0, false
	}
	rest, err := time.ParseDuration(s)
	if err != nil || sum+rest < sum {
		return 0, false
	}
	return sum + rest, true
}
