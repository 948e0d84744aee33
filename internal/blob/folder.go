package blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"vidimus/internal/domain/fault"
)

// temporary begins the names of files that are not committed: no name of a blob can hold
// it. They lie beside the blob, so that deleting the folder also takes what a crash left.
const temporary = "~"

// folder keeps blobs as files. os.Root sees to it that no name and no symbolic link leads
// out of it.
type folder struct{ root *os.Root }

func openFolder(dir string) (Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of blobs: %w", err)
	}
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("opening the folder of blobs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of blobs: %w", err)
	}
	return &folder{root: root}, nil
}

// makeDir makes a folder and those above it, each durable before the next.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (f *folder) Create(ctx context.Context, name string) (Writer, error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	b := make([]byte, 12)
	rand.Read(b)
	temp := path.Join(path.Dir(name), temporary+hex.EncodeToString(b))
	var file *os.File
	var err error
	// A Delete beside us may take the folder away while it is still empty.
	for range 100 {
		if err = f.root.MkdirAll(path.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break
		}
		file, err = f.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("creating a blob: %w", err)
	}
	return &folderWriter{ctx: ctx, folder: f, file: file, temp: temp, name: name}, nil
}

// sync makes the names in dir and in the folders above it durable. Others may have made
// those and not be done yet, so that all are synced every time.
func (f *folder) sync(dir string) error {
	for {
		d, err := f.root.Open(dir)
		if err != nil {
			return err
		}
		err = errors.Join(d.Sync(), d.Close())
		if err != nil || dir == "." {
			return err
		}
		dir = path.Dir(dir)
	}
}

func (f *folder) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	return f.Range(ctx, name, 0, -1)
}

func (f *folder) Range(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, fault.New(fault.Invalid, "a blob has no bytes before its beginning")
	}
	if length < 0 {
		length = math.MaxInt64 - offset
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, missing(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.Of(fault.NotFound) // a folder opens just as well as a file
	}
	if err != nil {
		_ = file.Close() // the first error tells more
		if fault.Is(err, fault.NotFound) {
			return nil, err
		}
		return nil, fmt.Errorf("opening a blob: %w", err)
	}
	return &folderReader{ctx: ctx, Reader: io.NewSectionReader(file, offset, length), file: file}, nil
}

func (f *folder) Size(ctx context.Context, name string) (int64, error) {
	if err := check(ctx, name); err != nil {
		return 0, err
	}
	info, err := f.root.Stat(name)
	if err != nil {
		return 0, missing(err)
	}
	if !info.Mode().IsRegular() {
		return 0, fault.Of(fault.NotFound)
	}
	return info.Size(), nil
}

func (f *folder) Delete(ctx context.Context, name string) error {
	if _, err := f.Size(ctx, name); fault.Is(err, fault.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting a blob: %w", err)
	}
	return f.tidy(path.Dir(name))
}

func (f *folder) DeletePrefix(ctx context.Context, prefix string) error {
	if err := check(ctx, prefix); err != nil {
		return err
	}
	info, err := f.root.Stat(prefix)
	if err != nil {
		if fault.Is(missing(err), fault.NotFound) {
			return nil
		}
		return fmt.Errorf("deleting blobs: %w", err)
	}
	if !info.IsDir() {
		return nil
	}
	if err := f.root.RemoveAll(prefix); err != nil {
		return fmt.Errorf("deleting blobs: %w", err)
	}
	return f.tidy(path.Dir(prefix))
}

// tidy makes a removal from dir durable, and removes the folders that it left empty.
func (f *folder) tidy(dir string) error {
	for dir != "." {
		if err := f.root.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break // most often: not empty
		}
		dir = path.Dir(dir)
	}
	d, err := f.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return f.tidy(path.Dir(dir)) // another Delete emptied it
	}
	if err != nil {
		return fmt.Errorf("deleting a blob: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("deleting a blob: %w", err)
	}
	return nil
}

func (f *folder) Ping(ctx context.Context) error {
	w, err := f.Create(ctx, "ping")
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write([]byte{0}); err != nil {
		return err
	}
	if err := w.(*folderWriter).file.Sync(); err != nil {
		return fmt.Errorf("flushing a blob: %w", err)
	}
	return nil
}

func (f *folder) Close() error { return f.root.Close() }

func check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return checkName(name)
}

// missing makes fault.NotFound of every way to say that there is no such file.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fault.Of(fault.NotFound).Because(err)
	}
	return fmt.Errorf("opening a blob: %w", err)
}

type folderReader struct {
	ctx context.Context
	io.Reader
	file *os.File
}

func (r *folderReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

func (r *folderReader) Close() error { return r.file.Close() }

type folderWriter struct {
	ctx    context.Context
	folder *folder
	file   *os.File
	temp   string
	name   string
	done   bool
	err    error
}

func (w *folderWriter) Write(p []byte) (int, error) {
	switch {
	case w.done:
		return 0, errors.New("writing to a blob that is finished")
	case w.err != nil:
		return 0, w.err
	case w.ctx.Err() != nil:
		w.err = context.Cause(w.ctx)
		return 0, w.err
	}
	n, err := w.file.Write(p)
	if err != nil {
		w.err = fmt.Errorf("writing a blob: %w", err)
	}
	return n, w.err
}

func (w *folderWriter) Commit() error {
	if w.done {
		return errors.New("committing a blob that is finished")
	}
	if w.err == nil && w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
	}
	if w.err != nil {
		w.Abort()
		return w.err
	}
	if err := w.commit(); err != nil {
		w.Abort()
		return fmt.Errorf("committing a blob: %w", err)
	}
	return nil
}

func (w *folderWriter) commit() error {
	if err := w.file.Sync(); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	if err := w.folder.root.Rename(w.temp, w.name); err != nil {
		return err
	}
	w.done = true
	return w.folder.sync(path.Dir(w.name))
}

func (w *folderWriter) Abort() {
	if w.done {
		return
	}
	w.done = true
	_ = w.file.Close() // it is given up
	_ = w.folder.root.Remove(w.temp)
	_ = w.folder.tidy(path.Dir(w.temp))
}
