// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/company"
)

var update = flag.Bool("update", false, "write the answers into the transcripts")

// TestTranscripts plays testdata/*.txt, each on a platform of its own. The lines are
//
//	# a remark
//	= as ihrebank          what follows carries a token of that company
//	= key exampleApiKey    what follows carries an API key; quotes keep blanks
//	= nobody               what follows carries nothing
//	= header Name: value   the next request carries that as well; without a value: not at all
//	= wait 3m              time passes, and robots do their work
//	POST /path {json}      a request
//	-> 201 {json}          its answer; a longer one goes on in lines that are indented
//	   Name: value         a header of it
//
// A word in braces stands for a part of the answer: its first use says what it is, later ones
// repeat it. {error} is another one each time, {any} is anything.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &player{platform: newPlatform(t, settings{}), file: file, words: map[string]string{}, carries: http.Header{}, next: http.Header{}}
			p.play(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
			if !*update {
				return
			}
			if err := os.WriteFile(file, []byte(strings.Join(p.out, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// player plays one transcript.
type player struct {
	*platform
	file    string
	words   map[string]string
	carries http.Header // with every request
	next    http.Header // with the next one only
	out     []string    // the transcript with the true answers
}

func (p *player) play(lines []string) {
	for n := 0; n < len(lines); n++ {
		line := lines[n]
		at := fmt.Sprintf("%s:%d", p.file, n+1)
		p.out = append(p.out, line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "= "):
			p.direct(at, line[2:])
		default:
			a := p.ask(at, line)
			var expected []string
			for n+1 < len(lines) && (strings.HasPrefix(lines[n+1], "->") || strings.HasPrefix(lines[n+1], "   ")) {
				n++
				expected = append(expected, lines[n])
			}
			p.compare(at, line, expected, a)
		}
	}
}

func (p *player) direct(at, line string) {
	what, value, _ := strings.Cut(line, " ")
	if unquoted, err := strconv.Unquote(value); err == nil {
		value = unquoted
	}
	switch what {
	case "as":
		p.carries = http.Header{"X-Api-Login-Token": {p.login(company.ID(value))}}
	case "key":
		p.carries = http.Header{"X-Api-Key": {value}}
	case "nobody":
		p.carries = http.Header{}
	case "header":
		name, v, _ := strings.Cut(value, ":")
		if v = strings.TrimPrefix(v, " "); v == "" {
			p.next[http.CanonicalHeaderKey(name)] = nil
			return
		}
		p.next.Set(name, v)
	case "wait":
		d, err := time.ParseDuration(value)
		if err != nil {
			p.t.Fatalf("%s: %v", at, err)
		}
		p.work(d)
	default:
		p.t.Fatalf("%s: nobody knows what %q means", at, line)
	}
}

func (p *player) ask(at, line string) answer {
	method, rest, ok := strings.Cut(p.spell(line), " ")
	path, body, _ := strings.Cut(rest, " ")
	if !ok || !strings.HasPrefix(path, "/") {
		p.t.Fatalf("%s: %q is no request", at, line)
	}
	header := maps.Clone(p.carries)
	maps.Copy(header, p.next)
	p.next = http.Header{}
	return p.send(p.request(method, path, body, header))
}

// word matches a placeholder: no JSON looks like it.
var word = regexp.MustCompile(`\{([a-z]+[0-9]*)\}`)

// spell puts in what the placeholders stand for.
func (p *player) spell(text string) string {
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if v, known := p.words[w[1:len(w)-1]]; known {
			return v
		}
		return w
	})
}

// compare checks an answer against the lines of the transcript: status and body, then
// headers.
func (p *player) compare(at, line string, expected []string, a answer) {
	status, body, headers := split(expected)
	var problems []string
	if status != strconv.Itoa(a.StatusCode) {
		problems = append(problems, "status "+status)
	}
	if body != "*" && !p.matches(body, string(a.body)) {
		problems = append(problems, "body "+body)
	}
	names := make([]string, 0, len(headers))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		names = append(names, name)
		if !p.matches(value, a.Header.Get(name)) {
			problems = append(problems, "header "+h)
		}
	}
	if len(problems) > 0 && !*update {
		p.t.Errorf("%s: %s\n   expected %s\n   answered %d %s %v", at, line, strings.Join(problems, "; "), a.StatusCode, a.body, a.Header)
	}
	if len(problems) > 0 || len(expected) == 0 {
		expected = p.transcribe(a, body == "*", names)
	}
	p.out = append(p.out, expected...)
}

func split(lines []string) (status, body string, headers []string) {
	header := regexp.MustCompile(`^[A-Z][A-Za-z-]+: `)
	for n, line := range lines {
		text := strings.TrimSpace(strings.TrimPrefix(line, "->"))
		switch {
		case n == 0:
			status, body, _ = strings.Cut(text, " ")
		case header.MatchString(text):
			headers = append(headers, text)
		default:
			body += text + "\n"
		}
	}
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(body)) == nil {
		body = compact.String()
	}
	return status, strings.TrimSpace(body), headers
}

// matches compares, and learns the words that are new.
func (p *player) matches(pattern, text string) bool {
	pattern = p.spell(pattern)
	var names []string
	var expression strings.Builder
	last := 0
	for _, at := range word.FindAllStringSubmatchIndex(pattern, -1) {
		expression.WriteString(regexp.QuoteMeta(pattern[last:at[0]]) + `([^"]*?)`)
		names = append(names, pattern[at[2]:at[3]])
		last = at[1]
	}
	expression.WriteString(regexp.QuoteMeta(pattern[last:]))
	found := regexp.MustCompile("^(?s:" + expression.String() + ")$").FindStringSubmatch(text)
	if found == nil {
		return false
	}
	for n, name := range names {
		if name != "error" && name != "any" {
			p.words[name] = found[n+1]
		}
	}
	return true
}

var (
	anErrorID = regexp.MustCompile(`"id":"[0-9]+"`)
	anIdentID = regexp.MustCompile(`\b[A-Z]{3}-[2-9A-HJ-NP-Z]{5}\b`)
	aCursor   = regexp.MustCompile(`cursor=[A-Za-z0-9_-]+`)
)

// transcribe writes an answer as the transcript has it.
func (p *player) transcribe(a answer, anyBody bool, headers []string) []string {
	lines := []string{strings.TrimSpace(fmt.Sprintf("-> %d %s", a.StatusCode, p.generalise(string(a.body))))}
	var long bytes.Buffer
	switch {
	case anyBody:
		lines[0] = fmt.Sprintf("-> %d *", a.StatusCode)
	case len(lines[0]) > 140 && json.Indent(&long, []byte(p.generalise(string(a.body))), "   ", "  ") == nil:
		lines = append([]string{fmt.Sprintf("-> %d", a.StatusCode)}, strings.Split("   "+long.String(), "\n")...)
	}
	for _, name := range headers {
		lines = append(lines, "   "+name+": "+p.generalise(a.Header.Get(name)))
	}
	return lines
}

// generalise puts words for what is different in every run.
func (p *player) generalise(text string) string {
	text = anErrorID.ReplaceAllString(text, `"id":"{error}"`)
	for _, id := range anIdentID.FindAllString(text, -1) {
		p.learn("id", id)
	}
	for _, c := range aCursor.FindAllString(text, -1) {
		p.learn("cursor", strings.TrimPrefix(c, "cursor="))
	}
	for _, name := range slices.Sorted(maps.Keys(p.words)) {
		if p.words[name] != "" {
			text = strings.ReplaceAll(text, p.words[name], "{"+name+"}")
		}
	}
	return text
}

func (p *player) learn(name, value string) {
	for _, v := range p.words {
		if v == value {
			return
		}
	}
	n := 1
	free := name
	for p.words[free] != "" {
		n++
		free = name + strconv.Itoa(n)
	}
	p.words[free] = value
}
