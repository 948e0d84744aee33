package storetest

import (
	"bufio"
	"database/sql"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestEachDatabaseIsFreshAndItsOwn(t *testing.T) {
	first, second := Postgres(t), Postgres(t)
	if first == second {
		t.Fatalf("two tests share %s", first)
	}
	for _, address := range []string{first, second} {
		if err := execute(address, "CREATE TABLE only_once (n BIGINT)"); err != nil {
			t.Errorf("creating a table in %s: %v", address, err)
		}
	}
}

func TestDatabaseIsDroppedThoughAConnectionIsLeft(t *testing.T) {
	var address string
	t.Run("leaves one behind", func(t *testing.T) {
		address = Postgres(t)
		db, err := sql.Open("pgx", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if address == "" {
		t.Skip("skipped, because there is no PostgreSQL here")
	}
	if err := execute(address, "SELECT 1"); err == nil {
		t.Errorf("%s is still there", address)
	}
}

func TestEachDBRunsBoth(t *testing.T) {
	seen := map[string]bool{}
	EachDB(t, func(t *testing.T, url, dir string) {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("the directory is not fresh: %v, %v", entries, err)
		}
		scheme, _, _ := strings.Cut(url, ":")
		seen[scheme] = true
	})
	if _, err := Server(); err == nil && (!seen[""] || !seen["postgres"]) {
		t.Errorf("ran on %v, want both", seen)
	}
}

// keep makes TestServerEndsWithItsProcess's child start a server and wait to be killed.
const keep = "VIDIMUS_STORETEST_KEEP"

func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv(keep) != "" {
		address, err := start()
		if err != nil {
			address = err.Error()
		}
		_, _ = os.Stdout.WriteString("address " + address + "\n")
		select {}
	}
	if _, err := Server(); err != nil {
		Postgres(t) // skips, or fails where it must not
	}
	child := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithItsProcess$")
	child.Env = append(os.Environ(), keep+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "address ")
	if err != nil || !ok {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if err := execute(address, "SELECT 1"); err != nil {
		t.Fatalf("the child's server does not serve: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, dir, _ := strings.Cut(address, "host=")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is still there half a minute after its process was killed", dir)
		}
	}
}

func TestMissingPostgresIsAnErrorOnlyWhereItIsRequired(t *testing.T) {
	for _, c := range []struct {
		ci, require string
		want        bool
	}{{"", "", false}, {"true", "", true}, {"", "1", true}, {"false", "0", false}} {
		t.Setenv("CI", c.ci)
		t.Setenv("VIDIMUS_REQUIRE_POSTGRES", c.require)
		if got := required(); got != c.want {
			t.Errorf("CI=%s VIDIMUS_REQUIRE_POSTGRES=%s: %v, want %v", c.ci, c.require, got, c.want)
		}
	}
}
