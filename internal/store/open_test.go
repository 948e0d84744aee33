package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"vidimus/internal/store/storetest"
)

// What a child process of a test is told: which part it plays, and which database it opens.
// It runs in the folder of that database.
const (
	childPart = "VIDIMUS_STORE_CHILD"
	childURL  = "VIDIMUS_STORE_CHILD_URL"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childPart) {
	case "open":
		os.Exit(report(opens()))
	case "write":
		os.Exit(report(writes()))
	}
	os.Exit(m.Run())
}

func report(err error) int {
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// start starts this test program again to play a part.
func start(t *testing.T, part, url, dir string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), childPart+"="+part, childURL+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(out)
}

// opens is a child that opens the database and looks that it is of use.
func opens() error {
	db, err := Open(context.Background(), os.Getenv(childURL), ".", testKey)
	if err != nil {
		return err
	}
	if err := db.Ping(context.Background()); err != nil {
		return err
	}
	return db.Close()
}

func TestManyProcessesMayOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		var children []*exec.Cmd
		for range 4 {
			cmd, _ := start(t, "open", url, dir)
			children = append(children, cmd)
		}
		for _, cmd := range children {
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestManyHandlesMayOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				db, err := Open(t.Context(), url, dir, testKey)
				if err != nil {
					t.Error(err)
					return
				}
				if err := db.Ping(t.Context()); err != nil {
					t.Error(err)
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var versions int
		row := raw(t, url, dir).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM goose_db_version WHERE version_id > 0")
		if err := row.Scan(&versions); err != nil {
			t.Fatal(err)
		}
		files, err := migrations.ReadDir("migration")
		if err != nil || versions != len(files) {
			t.Errorf("%d migrations are noted, there are %d, %v", versions, len(files), err)
		}
	})
}

func TestDatabaseOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		db, err := Open(t.Context(), url, dir, testKey)
		if err != nil {
			t.Fatal(err)
		}
		create(t, db, number(1))
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		insert := "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, " + map[bool]string{true: "1", false: "true"}[url == ""] + ")"
		if _, err := raw(t, url, dir).ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), url, dir, testKey); err == nil || !strings.Contains(err.Error(), "9999") || !strings.Contains(err.Error(), "newer program") {
			t.Errorf("got %v", err)
		}
		if _, err := raw(t, url, dir).ExecContext(t.Context(), "DELETE FROM goose_db_version WHERE version_id = 9999"); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, url, dir).IdentificationByID(t.Context(), "ihrebank", number(1).ID); err != nil {
			t.Errorf("the refusal has changed something: %v", err)
		}
	})
}

// writes is a child that commits until it is killed, and prints the number of each commit
// that it was told of.
func writes() error {
	ctx := context.Background()
	db, err := Open(ctx, os.Getenv(childURL), ".", testKey)
	if err != nil {
		return err
	}
	const writers = 4
	failed := make(chan error, writers)
	for w := range writers {
		go func() {
			for n := w; ; n += writers {
				err := db.InTx(ctx, func(ctx context.Context) error {
					_, err := db.CreateIdentification(ctx, number(n))
					return err
				})
				if err != nil {
					failed <- err
					return
				}
				_, _ = os.Stdout.WriteString(strconv.Itoa(n) + "\n")
			}
		}()
	}
	return <-failed
}

// TestNoAcknowledgedCommitIsLostByAKill kills a process in the middle of its writing, twice,
// and looks for every row that it was told is kept.
func TestNoAcknowledgedCommitIsLostByAKill(t *testing.T) {
	t.Parallel()
	storetest.EachDB(t, func(t *testing.T, url, dir string) {
		t.Parallel()
		cmd, out := start(t, "write", url, dir)
		var acknowledged []int
		for line, err := out.ReadString('\n'); err == nil; line, err = out.ReadString('\n') {
			n, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			if acknowledged = append(acknowledged, n); len(acknowledged) == 200 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // it was killed
		if len(acknowledged) < 200 {
			t.Fatalf("it ended by itself after %d", len(acknowledged))
		}
		db := open(t, url, dir)
		for _, n := range acknowledged {
			want := number(n)
			if got, err := db.IdentificationByID(t.Context(), want.Company, want.ID); err != nil || got.Number != want.Number {
				t.Errorf("%d was acknowledged: %v", n, err)
			}
		}
		create(t, db, number(30_000)) // it can be written to again
	})
}
