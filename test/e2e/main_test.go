package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"vidimus/internal/store/storetest"
)

// Scripts wait more than they work, so many run beside each other.
const beside = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", beside); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if compiled != "" {
		_ = os.RemoveAll(compiled)
	}
	if built != "" {
		_ = os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

// compiled is where this process's servers keep the compiled PDFium, if any has been started.
var compiled string

// cache returns that folder: compiling takes seconds, so it is done once for all scripts.
var cache = sync.OnceValues(func() (string, error) {
	var err error
	compiled, err = os.MkdirTemp("", "vidimus-e2e-cache-")
	return compiled, err
})

// built is the program that this process has built, if it has.
var built string

// program returns the program under test: that of VIDIMUS_BIN, or one built for this
// process.
var program = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("VIDIMUS_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	dir, err := os.MkdirTemp("", "vidimus-e2e-")
	if err != nil {
		return "", err
	}
	built = filepath.Join(dir, "vidimus")
	build := exec.Command("go", "build", "-o", built, "vidimus/cmd/vidimus")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return built, nil
})

// Marks that a script may carry in its comments.
const (
	onBoth     = "# On both databases."
	onPostgres = "# On PostgreSQL."
	takesLong  = "# Takes long."
	needs      = "# Needs "
)

func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("end to end: left out by -short")
	}
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("*", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts here: %v", err)
	}
	texts := make(map[string][]byte, len(files))
	for _, file := range files {
		if texts[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	// Those that take long begin first, so that none of them is left alone at the end.
	long := func(file string) int { return min(1, bytes.Count(texts[file], []byte(takesLong))) }
	slices.SortStableFunc(files, func(a, b string) int { return long(b) - long(a) })
	for _, file := range files {
		text := texts[file]
		name := strings.TrimSuffix(filepath.ToSlash(file), ".txt")
		if !bytes.Contains(text, []byte(onPostgres)) {
			t.Run(name, func(t *testing.T) { script(t, bin, file, text, false) })
		}
		if bytes.Contains(text, []byte(onPostgres)) || bytes.Contains(text, []byte(onBoth)) {
			t.Run(name+"_postgres", func(t *testing.T) { script(t, bin, file, text, true) })
		}
	}
}

// script runs one script with a world of its own.
func script(t *testing.T, bin, file string, text []byte, postgres bool) {
	t.Parallel()
	for line := range strings.Lines(string(text)) {
		if list, ok := strings.CutPrefix(line, needs); ok {
			need(t, strings.Fields(strings.TrimRight(strings.TrimSpace(list), ".")))
		}
	}
	w := newWorld(bin)
	if postgres {
		w.database, w.keys = storetest.Postgres(t), storetest.Postgres(t)
	}
	testscript.Run(t, testscript.Params{
		Files:     []string{file},
		Setup:     func(env *testscript.Env) error { return w.setup(env) },
		Cmds:      w.commands(),
		Condition: condition,
	})
}

// need skips the test where a foreign program is absent, and fails it in CI.
func need(t *testing.T, programs []string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is absent, and CI must not leave this out", p)
		}
		t.Skipf("SKIPPED, because %s is absent", p)
	}
}
