// Package blob keeps files that are too big for SQL: pictures, recordings, documents,
// results. It decides that a file appears whole or not at all, that it is durable before
// anybody is told so, and what it may be called. It stores what it is given: encryption is
// the caller's, with the key of the identification, so that only cipher text lies here.
package blob

import (
	"context"
	"io"
	"strings"

	"vidimus/internal/domain/fault"
)

// Store keeps blobs by name. A name is one or more parts of letters, digits, dots, lines and
// underlines, with slashes between; no part is "." or ".."; a part has at most 128 bytes,
// a name 512. The name of a blob is never the folder of another one. A bad name is
// fault.Invalid. Names are not secret: nothing personal belongs there. A Store is safe for
// use by several goroutines and processes at once; package blobtest is its contract.
type Store interface {
	// Create begins a blob. Nothing is to be seen of it before its Commit, which replaces
	// an earlier blob of that name as a whole; of two writers the last to commit wins.
	// When ctx ends before Commit, the blob is given up.
	Create(ctx context.Context, name string) (Writer, error)
	// Open reads a blob from its beginning. It reads the blob that was there, whatever
	// happens to the name meanwhile. fault.NotFound when there is none.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Range reads length bytes from offset on, fewer when the blob ends before, none from
	// its end on; a negative length reads to the end. A negative offset is fault.Invalid,
	// a missing blob fault.NotFound.
	Range(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error)
	// Size returns how many bytes a blob has, or fault.NotFound.
	Size(ctx context.Context, name string) (int64, error)
	// Delete removes a blob. A missing one is no error.
	Delete(ctx context.Context, name string) error
	// DeletePrefix removes all blobs whose names begin with prefix and a slash: "a/1"
	// means "a/1/x" and "a/1/x/y", neither "a/10/x" nor "a/1" itself. None is no error. A
	// blob below the prefix that is being written may fail or appear afterwards.
	DeletePrefix(ctx context.Context, prefix string) error
	// Ping says whether blobs can be read and written now.
	Ping(ctx context.Context) error
	// Close lets go of the store. Everything afterwards fails.
	Close() error
}

// Writer is one blob in the making, for one goroutine. After a failed Write only Abort is
// left: Commit fails.
type Writer interface {
	io.Writer
	// Commit makes the blob durable and visible. When it returns an error the blob is not
	// to be relied on; in rare cases (the folder cannot be made durable) it is visible. A
	// second Commit, or one after Abort, fails.
	Commit() error
	// Abort gives the blob up and leaves nothing behind. After Commit it does nothing, so
	// that it can be deferred.
	Abort()
}

// Open opens the store that url names; an empty one is the folder at dir, which is made when
// it is missing. Anything else is refused, without repeating the URL, which may hold a
// password. The caller closes the store.
func Open(_ context.Context, url, dir string) (Store, error) {
	if url != "" {
		return nil, fault.New(fault.Invalid, "blobs can be kept in a folder only")
	}
	return openFolder(dir)
}

const (
	maxName = 512
	maxPart = 128
)

// checkName refuses what is no name.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fault.New(fault.Invalid, "the name of a blob has 1 to %d bytes, not %d", maxName, len(name))
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || len(part) > maxPart {
			return fault.New(fault.Invalid, "a part of the name of a blob is empty, dots or too long")
		}
		for _, c := range []byte(part) {
			if !strings.ContainsRune("._-", rune(c)) && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return fault.New(fault.Invalid, "the name of a blob has a character that is not allowed")
			}
		}
	}
	return nil
}
