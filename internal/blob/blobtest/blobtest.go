// Package blobtest is the suite that every blob.Store must pass. It decides what the
// contract of the interface means, for implementations that are here and that are to come.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"vidimus/internal/blob"
	"vidimus/internal/domain/fault"
)

// Run tests the stores that open returns: each call a new and empty one, which Run closes.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	tests := map[string]func(*testing.T, blob.Store){
		"ABlobIsReadAsItWasWritten":          roundTrip,
		"TwentyMegabytesComeBack":            big,
		"NothingIsSeenBeforeCommit":          invisible,
		"AnAbortLeavesNothing":               abort,
		"AFinishedWriterDoesNothing":         finished,
		"ACommitReplacesTheWhole":            replace,
		"WritersOfOneNameNeverMix":           concurrent,
		"ARangeBeginsAndEndsAnywhere":        ranges,
		"AMissingBlobIsNotFound":             missing,
		"AFolderIsNoBlob":                    folders,
		"DeletedIsGoneAndMissingIsNoError":   deleted,
		"APrefixTouchesNoSiblings":           prefix,
		"CreateAndDeleteSideBySide":          sideBySide,
		"BadNamesAreRefused":                 badNames,
		"GoodNamesAreTaken":                  goodNames,
		"ACancelledContextStopsEverything":   canceled,
		"PingSaysThatAllIsWell":              ping,
		"AClosedStoreFails":                  closed,
		"AReaderKeepsWhatItOpened":           keeps,
		"AnEmptyBlobIsABlob":                 empty,
		"ManyWritersOfDifferentNamesSucceed": parallel,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { s.Close() })
			test(t, s)
		})
	}
}

func put(t *testing.T, s blob.Store, name string, content []byte) {
	t.Helper()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatalf("creating %s: %v", name, err)
	}
	defer w.Abort()
	if _, err := w.Write(content); err != nil {
		t.Fatalf("writing %s: %v", name, err)
	}
	if err := w.Commit(); err != nil {
		t.Fatalf("committing %s: %v", name, err)
	}
}

func get(t *testing.T, s blob.Store, name string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatalf("opening %s: %v", name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
	return b
}

func wantGone(t *testing.T, s blob.Store, name string) {
	t.Helper()
	if r, err := s.Open(t.Context(), name); !fault.Is(err, fault.NotFound) || err == nil {
		if r != nil {
			r.Close()
		}
		t.Errorf("opening %s: %v instead of not found", name, err)
	}
	if r, err := s.Range(t.Context(), name, 0, 1); !fault.Is(err, fault.NotFound) || err == nil {
		if r != nil {
			r.Close()
		}
		t.Errorf("a range of %s: %v instead of not found", name, err)
	}
	if _, err := s.Size(t.Context(), name); !fault.Is(err, fault.NotFound) || err == nil {
		t.Errorf("the size of %s: %v instead of not found", name, err)
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{7})
	_, _ = r.Read(b)
	return b
}

func roundTrip(t *testing.T, s blob.Store) {
	put(t, s, "company/1/scan.png", []byte("cipher text"))
	if got := get(t, s, "company/1/scan.png"); string(got) != "cipher text" {
		t.Errorf("read %q", got)
	}
	if n, err := s.Size(t.Context(), "company/1/scan.png"); n != 11 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
}

func empty(t *testing.T, s blob.Store) {
	put(t, s, "a/empty", nil)
	if got := get(t, s, "a/empty"); len(got) != 0 {
		t.Errorf("read %q", got)
	}
	if n, err := s.Size(t.Context(), "a/empty"); n != 0 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
}

func big(t *testing.T, s blob.Store) {
	content := noise(20<<20 + 13)
	w, err := s.Create(t.Context(), "a/video")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{bytes.NewReader(content)}, make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(get(t, s, "a/video"), content) {
		t.Error("other bytes came back")
	}
}

func invisible(t *testing.T, s blob.Store) {
	w, err := s.Create(t.Context(), "a/1/x")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write(noise(1 << 20)); err != nil {
		t.Fatal(err)
	}
	wantGone(t, s, "a/1/x")
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if len(get(t, s, "a/1/x")) != 1<<20 {
		t.Error("not whole after the commit")
	}
}

func abort(t *testing.T, s blob.Store) {
	put(t, s, "a/old", []byte("old"))
	for _, name := range []string{"a/new", "b/c/new", "a/old"} {
		w, err := s.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("half")); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		w.Abort()
		if err := w.Commit(); err == nil {
			t.Errorf("%s was committed after it was given up", name)
		}
	}
	wantGone(t, s, "a/new")
	wantGone(t, s, "b/c/new")
	if got := get(t, s, "a/old"); string(got) != "old" {
		t.Errorf("the earlier blob is now %q", got)
	}
}

func finished(t *testing.T, s blob.Store) {
	w, err := s.Create(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("two")); err == nil {
		t.Error("writes after the commit")
	}
	if err := w.Commit(); err == nil {
		t.Error("commits twice")
	}
	w.Abort()
	if got := get(t, s, "x"); string(got) != "one" {
		t.Errorf("read %q", got)
	}
}

func replace(t *testing.T, s blob.Store) {
	put(t, s, "x", []byte("a long first content"))
	put(t, s, "x", []byte("short"))
	if got := get(t, s, "x"); string(got) != "short" {
		t.Errorf("read %q", got)
	}
}

func concurrent(t *testing.T, s blob.Store) {
	const writers, size = 8, 256 << 10
	var work sync.WaitGroup
	for i := range writers {
		work.Go(func() {
			w, err := s.Create(t.Context(), "a/same")
			if err != nil {
				t.Error(err)
				return
			}
			defer w.Abort()
			for range 4 {
				if _, err := w.Write(bytes.Repeat([]byte{byte('a' + i)}, size/4)); err != nil {
					t.Error(err)
				}
			}
			if err := w.Commit(); err != nil {
				t.Error(err)
				return
			}
			r, err := s.Open(t.Context(), "a/same")
			if err != nil {
				t.Errorf("after a commit: %v", err)
				return
			}
			defer r.Close()
			whole(t, r, size)
		})
	}
	work.Wait()
	r, err := s.Open(t.Context(), "a/same")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	whole(t, r, size)
}

// whole checks for the content of exactly one writer.
func whole(t *testing.T, r io.Reader, size int) {
	b, err := io.ReadAll(r)
	if err != nil || len(b) != size || bytes.Count(b, b[:1]) != size {
		t.Errorf("%d bytes, not those of one writer, %v", len(b), err)
	}
}

func parallel(t *testing.T, s blob.Store) {
	var work sync.WaitGroup
	for i := range 24 {
		work.Go(func() { putOrReport(t, s, fmt.Sprintf("p/%d/q/%d", i%3, i), []byte{byte(i)}) })
	}
	work.Wait()
	for i := range 24 {
		if got := get(t, s, fmt.Sprintf("p/%d/q/%d", i%3, i)); !bytes.Equal(got, []byte{byte(i)}) {
			t.Errorf("blob %d holds %v", i, got)
		}
	}
}

func putOrReport(t *testing.T, s blob.Store, name string, content []byte) {
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Errorf("creating %s: %v", name, err)
		return
	}
	defer w.Abort()
	if _, err := w.Write(content); err != nil {
		t.Errorf("writing %s: %v", name, err)
	} else if err := w.Commit(); err != nil {
		t.Errorf("committing %s: %v", name, err)
	}
}

func ranges(t *testing.T, s blob.Store) {
	content := noise(200_001)
	put(t, s, "a/x", content)
	size := int64(len(content))
	for _, c := range []struct{ offset, length int64 }{
		{0, 0}, {0, 1}, {0, size}, {0, size + 1}, {0, -1}, {1, 65536}, {65535, 2}, {65536, 65536}, {100_000, -1},
		{size - 1, 1}, {size - 1, 10}, {size, 1}, {size, -1}, {size + 1, 5}, {1 << 62, 1 << 62}, {17, 0},
	} {
		from := min(c.offset, size)
		to := size
		if c.length >= 0 && c.length < size-from {
			to = from + c.length
		}
		r, err := s.Range(t.Context(), "a/x", c.offset, c.length)
		if err != nil {
			t.Errorf("%d bytes from %d: %v", c.length, c.offset, err)
			continue
		}
		got, err := io.ReadAll(iotest.OneByteReader(io.LimitReader(r, 10)))
		rest, err2 := io.ReadAll(r)
		if got = append(got, rest...); err != nil || err2 != nil || !bytes.Equal(got, content[from:to]) {
			t.Errorf("%d bytes from %d: other bytes (%d), %v, %v", c.length, c.offset, len(got), err, err2)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Range(t.Context(), "a/x", -1, 1); !fault.Is(err, fault.Invalid) {
		t.Errorf("a negative offset: %v", err)
	}
}

func missing(t *testing.T, s blob.Store) {
	put(t, s, "a/x", []byte("x"))
	for _, name := range []string{"x", "a/y", "b/x", "a/x/y", "A/x"} {
		wantGone(t, s, name)
	}
}

func folders(t *testing.T, s blob.Store) {
	put(t, s, "a/b/c", []byte("x"))
	for _, name := range []string{"a", "a/b"} {
		wantGone(t, s, name)
		if err := s.Delete(t.Context(), name); err != nil {
			t.Errorf("deleting the folder %s as a blob: %v", name, err)
		}
	}
	get(t, s, "a/b/c")
}

func deleted(t *testing.T, s blob.Store) {
	put(t, s, "a/b/x", []byte("x"))
	put(t, s, "a/y", []byte("y"))
	for _, name := range []string{"a/b/x", "a/b/x", "never", "never/was", "a/y/z"} {
		if err := s.Delete(t.Context(), name); err != nil {
			t.Errorf("deleting %s: %v", name, err)
		}
	}
	wantGone(t, s, "a/b/x")
	get(t, s, "a/y")
	put(t, s, "a/b/x", []byte("again"))
	if got := get(t, s, "a/b/x"); string(got) != "again" {
		t.Errorf("read %q", got)
	}
}

func prefix(t *testing.T, s blob.Store) {
	for _, name := range []string{"a/1/x", "a/1/y/z", "a/10/x", "a/1.x/x", "a/2", "a/11", "b/a/1/x"} {
		put(t, s, name, []byte(name))
	}
	for range 2 {
		if err := s.DeletePrefix(t.Context(), "a/1"); err != nil {
			t.Fatal(err)
		}
	}
	wantGone(t, s, "a/1/x")
	wantGone(t, s, "a/1/y/z")
	for _, name := range []string{"a/10/x", "a/1.x/x", "a/2", "a/11", "b/a/1/x"} {
		if got := get(t, s, name); string(got) != name {
			t.Errorf("%s holds %q", name, got)
		}
	}
	for _, p := range []string{"a/2", "a/2/x", "none"} {
		if err := s.DeletePrefix(t.Context(), p); err != nil {
			t.Errorf("deleting %s: %v", p, err)
		}
	}
	get(t, s, "a/2")
	for _, p := range []string{"", "/", ".", "..", "a/", "a/../b", "a/1*"} {
		if err := s.DeletePrefix(t.Context(), p); !fault.Is(err, fault.Invalid) {
			t.Errorf("deleting %q: %v instead of invalid", p, err)
		}
	}
	get(t, s, "b/a/1/x")
}

// sideBySide has writers whose folder is emptied by others again and again.
func sideBySide(t *testing.T, s blob.Store) {
	var work sync.WaitGroup
	for i := range 6 {
		work.Go(func() {
			name := fmt.Sprintf("a/b/%d", i)
			for range 15 {
				putOrReport(t, s, name, []byte("x"))
				if n, err := s.Size(t.Context(), name); err != nil || n != 1 {
					t.Errorf("%s after its commit: %d, %v", name, n, err)
				}
				if err := s.Delete(t.Context(), name); err != nil {
					t.Errorf("deleting %s: %v", name, err)
				}
			}
		})
	}
	work.Wait()
}

func badNames(t *testing.T, s blob.Store) {
	for _, name := range []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "a/..", "../a", "a/../b", "a/./b", "a b", "ä", "a\x00", "a\\b", "a~b", "a:b", "%2e%2e", "a\n",
		strings.Repeat("a", 129), strings.Repeat("a/", 256) + "a",
	} {
		w, err := s.Create(t.Context(), name)
		if err == nil {
			w.Abort()
		}
		_, openErr := s.Open(t.Context(), name)
		_, rangeErr := s.Range(t.Context(), name, 0, 1)
		_, sizeErr := s.Size(t.Context(), name)
		for did, err := range map[string]error{"create": err, "open": openErr, "range": rangeErr, "size": sizeErr, "delete": s.Delete(t.Context(), name)} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s %q: %v instead of invalid", did, name, err)
			}
		}
	}
}

func goodNames(t *testing.T, s blob.Store) {
	for _, name := range []string{
		"a", "A-Z_0.9", ".hidden", "...", "a..b", "-", "x/" + strings.Repeat("b", 128), strings.Repeat("c/", 255) + "cc",
	} {
		put(t, s, name, []byte(name))
	}
	if got := get(t, s, "..."); string(got) != "..." {
		t.Errorf("read %q", got)
	}
}

func canceled(t *testing.T, s blob.Store) {
	put(t, s, "a/x", noise(100_000))
	ctx, cancel := context.WithCancel(t.Context())
	writer, err := s.Create(ctx, "a/new")
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Abort()
	late, err := s.Create(ctx, "a/late")
	if err != nil {
		t.Fatal(err)
	}
	defer late.Abort()
	if _, err := late.Write([]byte("all of it")); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(ctx, "a/x")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	_, writeErr := writer.Write([]byte("x"))
	_, readErr := io.ReadAll(r)
	_, createErr := s.Create(ctx, "a/y")
	_, openErr := s.Open(ctx, "a/x")
	_, sizeErr := s.Size(ctx, "a/x")
	for did, err := range map[string]error{
		"write": writeErr, "commit": writer.Commit(), "commit of all": late.Commit(), "read": readErr, "create": createErr,
		"open": openErr, "size": sizeErr, "delete": s.Delete(ctx, "a/x"), "delete all": s.DeletePrefix(ctx, "a"), "ping": s.Ping(ctx),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v instead of canceled", did, err)
		}
	}
	wantGone(t, s, "a/new")
	wantGone(t, s, "a/late")
	get(t, s, "a/x")
}

func ping(t *testing.T, s blob.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func closed(t *testing.T, s blob.Store) {
	put(t, s, "x", []byte("x"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), "x"); err == nil || fault.Is(err, fault.NotFound) {
		t.Errorf("opening: %v", err)
	}
	if _, err := s.Create(t.Context(), "y"); err == nil {
		t.Error("creates")
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("says that all is well")
	}
}

func keeps(t *testing.T, s blob.Store) {
	content := noise(300_000)
	put(t, s, "a/x", content)
	r, err := s.Open(t.Context(), "a/x")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	head := make([]byte, 10)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	put(t, s, "a/x", []byte("new"))
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(head, rest...), content) {
		t.Errorf("the open blob changed: %d bytes, %v", len(rest)+10, err)
	}
}
