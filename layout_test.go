package vidimus

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// rings are the families of internal/, from the bottom up. A file imports its own family
// and the rings below; cmd, which stands above all, imports any.
var rings = [][]string{
	{"domain"},
	{"service"},
	{"server", "delivery", "store", "keys", "blob", "media", "vision", "pdf", "trust"},
	{"config"},
}

// thirdParties is the lowest ring that libraries may enter.
const thirdParties = 2

// pure are the packages of the standard library that domain may import: they compute, or
// read and write what they are given. crypto/x509 and log/slog are for parsing and for
// keeping values out of logs.
var pure = []string{
	"bytes", "cmp", "crypto", "crypto/ecdsa", "crypto/ed25519", "crypto/elliptic", "crypto/hmac", "crypto/rsa", "crypto/sha1", "crypto/sha256", "crypto/sha512",
	"crypto/x509", "crypto/x509/pkix", "encoding/asn1", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json", "encoding/pem",
	"encoding/xml", "errors", "fmt", "hash", "hash/crc32", "image", "image/jpeg", "image/png", "io", "iter", "log/slog", "maps", "math",
	"math/big", "net/mail", "net/netip", "net/textproto", "net/url", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode",
	"unicode/utf16", "unicode/utf8",
}

// outside are the packages that services may not import, themselves or anything below
// them: the outside, and chance, are passed in.
var outside = []string{"os", "net", "syscall", "database/sql", "crypto/rand", "math/rand", "path/filepath", "os/exec", "embed", "plugin"}

// wallClock are the functions of package time that domain may not call.
var wallClock = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}

// longest is how many lines a file may have that a person writes.
const longest = 700

// foreignName is the name that our own prose and identifiers do not use. wire are the
// letters that the specification prescribes, where it may stand.
var (
	foreignName = "id" + "now"
	wire        = []string{
		"ID" + "now Webhook Warning: ", "ID" + "now Webhook Error: ", // subjects of mails, 14.6
		foreignName + "_seal",     // the default seal, 7.1.2
		foreignName + "_signing_", // names of certificates, 13.3
		"compatible with the ID" + "now gateway API, version 2018-11-15",
	}
	// somebodysHome is a path of the machine that somebody wrote a file on.
	somebodysHome = regexp.MustCompile("(^|[\\s\"'`=(])/(home|Users|work)/[a-z]")
)

func TestRepositoryKeepsItsLayout(t *testing.T) {
	for _, fault := range check(t, os.DirFS(".")) {
		t.Error(fault)
	}
}

// TestLayoutRulesCanFail breaks each rule in a tree of its own, so that a rule that never
// fires is noticed.
func TestLayoutRulesCanFail(t *testing.T) {
	const doc = "// Package x is a fixture.\npackage x\n"
	chapters := "| ch | chapter | home | its helpers | state |\n| --- | --- | --- | --- | --- |\n"
	for i := range 17 {
		chapters += fmt.Sprintf("| %d | some | `internal/later` | | coming |\n", i+1)
	}
	for _, c := range []struct {
		name, file, text string
		want             string // part of the one complaint; empty: none
	}{
		{"down", "internal/store/a.go", doc + `import _ "vidimus/internal/service/x"`, ""},
		{"own family", "internal/service/a/a.go", doc + `import _ "vidimus/internal/service/b"`, ""},
		{"up", "internal/domain/a/a.go", doc + `import _ "vidimus/internal/service/b"`, "above"},
		{"from the top", "internal/store/a.go", doc + `import _ "vidimus/internal/config"`, "above"},
		{"command", "internal/store/a.go", doc + `import _ "vidimus/cmd/vidimus"`, "not in a ring"},
		{"beside", "internal/store/a.go", doc + `import _ "vidimus/internal/keys"`, "beside"},
		{"no ring", "internal/helpers/a.go", doc, "not in a ring"},
		{"impure", "internal/domain/a/a.go", doc + `import _ "os"`, "does I/O"},
		{"impure below", "internal/domain/a/a.go", doc + `import _ "math/rand/v2"`, "does I/O"},
		{"I/O in a service", "internal/service/a/a.go", doc + `import _ "os"`, "does I/O"},
		{"network in a service", "internal/service/a/a.go", doc + `import _ "net/http"`, "does I/O"},
		{"context in the domain", "internal/domain/a/a.go", doc + `import _ "context"`, "does I/O"},
		{"clock without its name", "internal/domain/a/a.go", doc + "import . \"time\"\nvar _ = Time{}", "by its name"},
		{"pure", "internal/domain/a/a.go", doc + `import _ "net/url"`, ""},
		{"clock", "internal/domain/a/a.go", doc + "import tt \"time\"\nvar _ = tt.Now()", "time.Now"},
		{"clock as a value", "internal/domain/a/a.go", doc + "import \"time\"\nvar _ = time.Since", "time.Since"},
		{"clock in a test", "internal/domain/a/a_test.go", "package x\nimport \"time\"\nvar _ = time.Now()", ""},
		{"library too low", "internal/service/a/a.go", doc + `import _ "example.com/lib"`, "third party"},
		{"library", "internal/store/a.go", doc + `import _ "example.com/lib"`, ""},
		{"library in a test", "internal/service/a/a_test.go", "package x\nimport _ \"example.com/lib\"", ""},
		{"text", "internal/domain/a/a.go", doc + `import _ "golang.org/x/text/cases"`, ""},
		{"no comment", "internal/store/a.go", "package x\n", "no package comment"},
		{"generated without comment", "internal/store/a.go", "// Code generated by x. DO NOT EDIT.\n\npackage x\n", ""},
		{"too long", "internal/store/a.go", doc + strings.Repeat("\n", longest), "lines"},
		{"foreign name", "docs/a.md", "as ID" + "NOW does", "foreign name"},
		{"foreign name in a path", "docs/" + foreignName + ".md", "", "foreign name"},
		{"foreign name in a sample", "internal/store/testdata/a.txt", foreignName, ""},
		{"wire", "docs/a.md", "the default " + foreignName + "_seal", ""},
		{"somebody's home", "deploy/a.sh", "cd /ho" + "me/anna", "machine"},
		{"chapter without a home", "docs/chapters.md", strings.Replace(chapters, "coming", "built", 1), "internal/later"},
		{"chapter missing", "docs/chapters.md", strings.Replace(chapters, "| 7 |", "| 7.1 |", 1), "chapter 7"},
		{"state unknown", "docs/chapters.md", strings.Replace(chapters, "coming", "soon", 1), "soon"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			root := t.TempDir()
			write := func(name, text string) {
				if err := os.MkdirAll(root+"/"+path.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(root+"/"+name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("docs/chapters.md", chapters)
			write(c.file, c.text)
			faults := check(t, os.DirFS(root))
			switch {
			case c.want == "" && len(faults) > 0:
				t.Errorf("complains: %q", faults)
			case c.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], c.want)):
				t.Errorf("complains: %q, want one with %q", faults, c.want)
			}
		})
	}
}

// check returns everything that breaks a rule in the tree. It reads files itself and does
// not call `go list`: go test knows which files a test has read, but not what a child of it
// has, and would answer from its cache after a rule was broken.
func check(t *testing.T, tree fs.FS) (faults []string) {
	t.Helper()
	comments := map[string]bool{} // folder of Go files: has a package comment
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if isSkipped(name) {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular() || name == "LICENSE" || name == ".git": // a worktree has a file .git
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		faults = append(faults, wordFaults(name, text)...)
		if path.Ext(name) == ".go" && !strings.Contains(name, "testdata/") {
			more, err := goFaults(name, text, comments)
			faults = append(faults, more...)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder, has := range comments {
		if !has {
			faults = append(faults, folder+": no package comment")
		}
	}
	faults = append(faults, chapterFaults(t, tree)...)
	slices.Sort(faults)
	return faults
}

// isSkipped says whether a folder is not part of the source.
func isSkipped(folder string) bool {
	return slices.Contains([]string{".git", "bin", "data", "coverage"}, folder) ||
		slices.Contains([]string{"node_modules", "dist"}, path.Base(folder))
}

// goFaults checks one Go file and notes in comments what it adds to its package.
func goFaults(name string, text []byte, comments map[string]bool) (faults []string, err error) {
	mode := parser.ImportsOnly | parser.ParseComments
	inDomain := strings.HasPrefix(name, "internal/domain/")
	if inDomain {
		mode = parser.ParseComments // the calls are looked at too
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, mode)
	if err != nil {
		return nil, err
	}
	generated := ast.IsGenerated(file)
	if lines := bytes.Count(text, []byte("\n")); lines > longest && !generated {
		faults = append(faults, fmt.Sprintf("%s: %d lines, more than %d", name, lines, longest))
	}
	if strings.HasSuffix(name, "_test.go") {
		return faults, nil
	}
	folder := path.Dir(name)
	comments[folder] = comments[folder] || generated || strings.HasPrefix(file.Doc.Text(), "Package ") ||
		strings.HasPrefix(file.Doc.Text(), "Command ")
	ring, family := place(name)
	if strings.HasPrefix(name, "internal/") && ring < 0 {
		return append(faults, name+": "+family+" is not in a ring"), nil
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if ring >= 0 {
			faults = append(faults, importFaults(name, ring, family, imported)...)
		}
	}
	if inDomain {
		faults = append(faults, clockFaults(name, file)...)
	}
	return faults, nil
}

// place returns the ring and the family of a path below internal/; the ring is -1
// for anything else.
func place(name string) (ring int, family string) {
	below, ok := strings.CutPrefix(name, "internal/")
	if !ok {
		return -1, name
	}
	family, _, _ = strings.Cut(below, "/")
	return slices.IndexFunc(rings, func(ring []string) bool { return slices.Contains(ring, family) }), family
}

// importFaults checks one import of a file that stands in that ring and family.
func importFaults(name string, ring int, family, imported string) []string {
	if ours, ok := strings.CutPrefix(imported, "vidimus/"); ok {
		theirs, other := place(ours)
		switch {
		case other == family && theirs == ring:
			return nil
		case theirs < 0:
			return []string{fmt.Sprintf("%s imports %s, which is not in a ring", name, imported)}
		case theirs > ring:
			return []string{fmt.Sprintf("%s imports %s, which stands above it", name, imported)}
		case theirs == ring:
			return []string{fmt.Sprintf("%s imports %s, which stands beside it", name, imported)}
		}
		return nil
	}
	first, _, _ := strings.Cut(imported, "/")
	if strings.Contains(first, ".") {
		if ring < thirdParties && !strings.HasPrefix(imported, "golang.org/x/text/") {
			return []string{fmt.Sprintf("%s imports the third party %s, below ring %d", name, imported, thirdParties)}
		}
		return nil
	}
	if ring == 0 && !slices.Contains(pure, imported) {
		return []string{fmt.Sprintf("%s imports %s, which does I/O, or may", name, imported)}
	}
	if ring == 1 && !slices.Contains(pure, imported) {
		for _, bad := range outside {
			if imported == bad || strings.HasPrefix(imported, bad+"/") {
				return []string{fmt.Sprintf("%s imports %s, which does I/O or is random", name, imported)}
			}
		}
	}
	return nil
}

// clockFaults finds uses of the wall clock, under whatever name time is imported.
func clockFaults(name string, file *ast.File) (faults []string) {
	local := ""
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` {
			local = "time"
			if spec.Name != nil {
				local = spec.Name.Name
			}
			if local == "." {
				faults = append(faults, name+" imports time without its name: a use of the clock could not be seen; import it by its name")
			}
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		use, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := use.X.(*ast.Ident); ok && local != "" && x.Name == local && slices.Contains(wallClock, use.Sel.Name) {
			faults = append(faults, fmt.Sprintf("%s uses time.%s: a time is an argument", name, use.Sel.Name))
		}
		return true
	})
	return faults
}

// wordFaults finds what must not be written anywhere but in samples of foreign data.
func wordFaults(name string, text []byte) (faults []string) {
	if strings.Contains(strings.ToLower(name), foreignName) {
		faults = append(faults, name+": a foreign name in the path")
	}
	if strings.Contains(name, "testdata/") || !utf8.Valid(text) {
		return faults
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if somebodysHome.MatchString(line) {
			faults = append(faults, fmt.Sprintf("%s:%d: a path of somebody's machine", name, number))
		}
		for _, allowed := range wire {
			line = strings.ReplaceAll(line, allowed, "")
		}
		if strings.Contains(strings.ToLower(line), foreignName) {
			faults = append(faults, fmt.Sprintf("%s:%d: a foreign name", name, number))
		}
	}
	return faults
}

// chapterFaults checks docs/chapters.md: each chapter has its row, and what a row calls
// built exists.
func chapterFaults(t *testing.T, tree fs.FS) (faults []string) {
	t.Helper()
	text, err := fs.ReadFile(tree, "docs/chapters.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		chapter := strings.TrimSpace(cells[0])
		if len(cells) < 5 || chapter == "" || chapter[0] < '0' || chapter[0] > '9' {
			continue
		}
		seen[chapter] = true
		switch state := strings.TrimSpace(cells[4]); state {
		case "built":
			for _, found := range quoted.FindAllStringSubmatch(cells[2]+cells[3], -1) {
				if _, err := fs.Stat(tree, found[1]); err != nil {
					faults = append(faults, "docs/chapters.md: chapter "+chapter+" is built, but "+found[1]+" is not there")
				}
			}
		case "coming":
		default:
			faults = append(faults, "docs/chapters.md: chapter "+chapter+" is "+state+", neither built nor coming")
		}
	}
	for i := 1; i <= 17; i++ {
		if !seen[strconv.Itoa(i)] {
			faults = append(faults, fmt.Sprintf("docs/chapters.md: chapter %d has no row", i))
		}
	}
	return faults
}
