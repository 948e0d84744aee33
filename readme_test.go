package vidimus_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// variable are the parts of an answer that are different every time.
var variable = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`\b[A-Z]{3}-[2-9A-Z]{5}\b`), "IDENT-ID"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`), "TOKEN"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`"id":"\d{9}"`), `"id":"ERROR-ID"`},
	{regexp.MustCompile(`\b\d{4,5} bytes\b`), "SIZE bytes"}, // signatures by elliptic curves vary in length
}

func settled(s string) string {
	for _, v := range variable {
		s = v.pattern.ReplaceAllString(s, v.name)
	}
	return strings.TrimSpace(s)
}

// step is one command of a console block in the README and what it prints.
type step struct{ command, prints string }

func readSession(t *testing.T) []step {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(block[1], "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step{command: command})
			} else if len(steps) > 0 {
				steps[len(steps)-1].prints += line + "\n"
			}
		}
	}
	if len(steps) < 10 {
		t.Fatalf("the README has %d commands, which cannot be all", len(steps))
	}
	return steps
}

// TestReadmeSessionIsTrue types the README's session into one shell, against the program,
// and compares what it prints. Only the robots are faster here.
func TestReadmeSessionIsTrue(t *testing.T) {
	for _, program := range []string{"bash", "curl", "openssl", "python3", "awk", "7z", "sftp", "sshpass", "pdfsig"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", program)
			}
			t.Skipf("%s is missing: the README's session was not tried", program)
		}
	}
	dir := t.TempDir()
	address, sftp := serveDemo(t, dir)
	steps := readSession(t)
	var script strings.Builder
	const mark = "@@step@@"
	for _, s := range steps {
		script.WriteString("echo '" + mark + "'\n" + strings.NewReplacer("127.0.0.1:8080", address, "-P 2022", "-P "+sftp).Replace(s.command) + "\n")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash")
	shell.Dir = filepath.Join(dir, "home")
	if err := os.Mkdir(shell.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Abs("docs")
	if err != nil {
		t.Fatal(err)
	}
	// The reader types in the repository, where make run has left the first two.
	for name, target := range map[string]string{"bin": dir, "data": filepath.Join(dir, "data"), "docs": docs} {
		err = errors.Join(err, os.Symlink(target, filepath.Join(shell.Dir, name)))
	}
	if err != nil {
		t.Fatal(err)
	}
	shell.Stdin = strings.NewReader(script.String())
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("the session ended with %v:\n%s", err, out)
	}
	printed := strings.Split(string(out), mark+"\n")[1:]
	if len(printed) != len(steps) {
		t.Fatalf("%d of %d commands ran:\n%s", len(printed), len(steps), out)
	}
	for i, s := range steps {
		if got, want := settled(printed[i]), settled(s.prints); got != want {
			t.Errorf("$ %s\nprints\n%s\nand the README says\n%s", s.command, got, want)
		}
	}
}

// serveDemo builds the program, starts it with the demo companies and returns its address, and
// the port of SFTP.
func serveDemo(t *testing.T, dir string) (address, sftp string) {
	t.Helper()
	bin := filepath.Join(dir, "vidimus")
	build := exec.Command("go", "build", "-o", bin, "./cmd/vidimus")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	address = freeAddress(t)
	_, sftp, _ = net.SplitHostPort(freeAddress(t)) //nolint:errcheck // an address that was listened on
	server := exec.Command(bin, "serve", "--sftp", "127.0.0.1:"+sftp, "--demo", "--data", filepath.Join(dir, "data"), "--http", address, "--speedup", "60")
	var log bytes.Buffer
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(server.Process.Signal(syscall.SIGTERM), server.Wait()); err != nil {
			t.Errorf("stopping: %v\n%s", err, log.String())
		}
	})
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address, sftp
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server does not answer:\n%s", log.String())
	return "", ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}
