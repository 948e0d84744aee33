// Command testreport reads what `go test -json` says and prints what a person needs: one
// line a package, the whole output of a test that failed, and every test that was skipped.
// With -strict a skipped test that tools/skips.txt does not name is a failure.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

func main() {
	strict := flag.Bool("strict", false, "fail when a test was skipped that -allow does not name")
	allow := flag.String("allow", "tools/skips.txt", "the tests that may be skipped: package, test, reason after #")
	flag.Parse()
	allowed, err := readAllowed(*allow)
	if err == nil {
		err = report(os.Stdin, os.Stdout, allowed, *strict)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// readAllowed returns the "package test" pairs of the file; a missing file allows nothing.
func readAllowed(path string) (map[string]bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	allowed := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) == 2 {
			allowed[words[0]+" "+words[1]] = true
		}
	}
	return allowed, nil
}

// report prints the events of in to out. It fails when a test or a package failed, and,
// if strict, when one was skipped that is not allowed to be.
func report(in io.Reader, out io.Writer, allowed map[string]bool, strict bool) error {
	said := map[string]*strings.Builder{} // what each running test has printed
	failed, refused := 0, 0
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			_, _ = fmt.Fprintln(out, lines.Text()) // go's own complaint, before any test ran
			continue
		}
		name := e.Package + " " + e.Test
		switch {
		case e.Action == "output" && strings.HasPrefix(e.Output, "=== "): // RUN, PAUSE, CONT
		case e.Action == "output" && e.Test != "":
			if said[name] == nil {
				said[name] = &strings.Builder{}
			}
			_, _ = said[name].WriteString(e.Output)
		case e.Action == "output" || e.Action == "build-output":
			if e.Output != "PASS\n" && !strings.Contains(e.Output, "[no test files]") {
				_, _ = io.WriteString(out, e.Output)
			}
		case e.Action == "fail" && e.Test == "":
			failed++
			// A panic or an exit ends the package while tests still run: show them all.
			for other, text := range said {
				if strings.HasPrefix(other, e.Package+" ") {
					_, _ = fmt.Fprintf(out, "unfinished: %s\n%s", other, text)
				}
			}
		case e.Action == "fail":
			failed++
			_, _ = fmt.Fprint(out, text(said[name]))
			delete(said, name)
		case e.Action == "skip" && e.Test != "":
			verdict := "skipped"
			if strict && !allowed[name] {
				verdict, refused = "SKIPPED, BUT MUST NOT BE", refused+1
			}
			_, _ = fmt.Fprintf(out, "%s: %s\n%s", verdict, name, text(said[name]))
			delete(said, name)
		case e.Action == "pass" && e.Test != "":
			delete(said, name)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the events: %w", err)
	}
	if failed > 0 || refused > 0 {
		return fmt.Errorf("FAIL: %d tests and packages failed, %d tests were skipped that must not be", failed, refused)
	}
	return nil
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}
