package blob_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vidimus/internal/blob"
	"vidimus/internal/blob/blobtest"
	"vidimus/internal/domain/fault"
)

func open(t *testing.T, dir string) blob.Store {
	t.Helper()
	s, err := blob.Open(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, s blob.Store, name string) {
	t.Helper()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

// list is everything that lies below dir, with its mode.
func list(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		info, err := d.Info()
		found[strings.TrimPrefix(p, dir+"/")] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFolderKeepsTheContract(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, filepath.Join(t.TempDir(), "new", "blobs")) })
}

func TestNoFolderAndNoHalfFileStaysBehind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	w, err := s.Create(t.Context(), "a/b/half")
	if err != nil {
		t.Fatal(err)
	}
	if len(list(t, dir)) != 3 {
		t.Fatal("nothing lies there while a blob is written: the test looks in the wrong place")
	}
	w.Abort()
	write(t, s, "c/d/e")
	write(t, s, "f/g/h")
	if err := s.Delete(t.Context(), "c/d/e"); err != nil {
		t.Fatal(err)
	}
	if err := s.DeletePrefix(t.Context(), "f/g"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := list(t, dir); len(left) != 0 {
		t.Errorf("%v stayed behind", left)
	}
}

func TestWhatACrashLeftGoesWithItsFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, "a/1/x")
	if _, err := s.Create(t.Context(), "a/1/half"); err != nil { // and never finished
		t.Fatal(err)
	}
	if err := s.DeletePrefix(t.Context(), "a/1"); err != nil {
		t.Fatal(err)
	}
	if left := list(t, dir); len(left) != 0 {
		t.Errorf("%v stayed behind", left)
	}
}

func TestBlobsAreTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	write(t, s, "a/x")
	found := list(t, filepath.Dir(dir))
	for name, mode := range map[string]fs.FileMode{"blobs": 0o700, "blobs/a": 0o700, "blobs/a/x": 0o600} {
		if found[name] != mode {
			t.Errorf("%s has mode %#o instead of %#o", name, found[name], mode)
		}
	}
}

func TestASymbolicLinkDoesNotLeadOut(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "x"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if r, err := s.Open(t.Context(), "a/x"); err == nil {
		r.Close()
		t.Error("reads outside of the folder")
	}
	if w, err := s.Create(t.Context(), "a/y"); err == nil {
		w.Abort()
		t.Error("writes outside of the folder")
	}
	if err := s.Delete(t.Context(), "a/x"); err == nil {
		t.Error("deletes outside of the folder")
	}
	if len(list(t, outside)) != 1 {
		t.Error("the folder outside was changed")
	}
}

func TestAnUnknownURLIsRefusedWithoutRepeatingIt(t *testing.T) {
	_, err := blob.Open(t.Context(), "s3://hush:hush@bucket", t.TempDir())
	if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hush") {
		t.Errorf("error: %v", err)
	}
}
