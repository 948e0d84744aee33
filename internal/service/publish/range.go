package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/dossier"
)

// openMembers is how many files of a ZIP a Reader keeps ready: clients read on from one
// into the next, and a few read in several places at once.
const openMembers = 2

// Reader reads any range of a ZIP: the bytes that Write writes, in any order. It keeps at
// most a few blocks of opened bytes, and the key: hold it no longer than a client holds its
// file. It is safe for use by several goroutines at once.
type Reader struct {
	zip   *ZIP
	parts []result.Part

	gate    sync.Mutex
	open    []member  // the one used last at the end
	checked time.Time // when the key was last known to exist
	gone    bool      // the key was destroyed
}

// checkEvery is how long a Reader goes on without looking whether its key still exists.
const checkEvery = time.Second

// member is the content of one file of the ZIP.
type member struct {
	index int
	read  func(ctx context.Context, p []byte, off int64) (int, error)
}

// Reader returns a reader of the archive. It reads nothing yet.
func (z *ZIP) Reader() (*Reader, error) {
	parts, err := z.archive.Archive.Parts()
	if err != nil {
		return nil, err
	}
	if len(z.archive.Sources) != len(z.archive.Archive.Members) {
		return nil, errors.New("the list of files lacks where some come from")
	}
	return &Reader{zip: z, parts: parts, checked: z.opened}, nil
}

// ReadAt has the contract of io.ReaderAt. Bytes that cannot be proven genuine, or of a file
// that is gone, are an error; once the key of the archive was destroyed, within a second,
// fault.NotFound.
func (r *Reader) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("reading an archive before its beginning")
	}
	if err := r.check(ctx); err != nil {
		return 0, err
	}
	// The last part that begins at off or before it; none of them is empty.
	i, exact := slices.BinarySearchFunc(r.parts, off, func(p result.Part, off int64) int { return int(max(-1, min(1, p.Offset-off))) })
	if !exact {
		i--
	}
	n := 0
	for ; i < len(r.parts) && n < len(p); i++ {
		part := r.parts[i]
		within := off + int64(n) - part.Offset
		if within >= part.Size {
			break // beyond the end
		}
		want := p[n : n+int(min(int64(len(p)-n), part.Size-within))]
		c, err := r.readPart(ctx, part, want, within)
		n += c
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// check looks whether the key still exists, and forgets what was opened with it if not.
func (r *Reader) check(ctx context.Context) error {
	r.gate.Lock()
	defer r.gate.Unlock()
	now := r.zip.service.clock.Now()
	if !r.gone && now.Sub(r.checked) < checkEvery {
		return nil
	}
	if !r.gone {
		_, err := r.zip.current(ctx)
		if err == nil {
			r.checked = now
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		r.gone, r.open = true, nil
	}
	return fault.Of(fault.NotFound)
}

func (r *Reader) readPart(ctx context.Context, part result.Part, p []byte, off int64) (int, error) {
	if part.Bytes != nil {
		return copy(p, part.Bytes[off:]), nil
	}
	read, err := r.member(part.Member)
	if err != nil {
		return 0, err
	}
	n, err := read(ctx, p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // it is shorter than was recorded
	}
	return n, fmt.Errorf("reading an archive: %w", err)
}

// member returns what reads a member, and drops the one that was not used for longest.
func (r *Reader) member(index int) (func(ctx context.Context, p []byte, off int64) (int, error), error) {
	r.gate.Lock()
	defer r.gate.Unlock()
	if i := slices.IndexFunc(r.open, func(m member) bool { return m.index == index }); i >= 0 {
		m := r.open[i]
		r.open = append(slices.Delete(r.open, i, i+1), m)
		return m.read, nil
	}
	read, err := r.zip.random(index)
	if err != nil {
		return nil, err
	}
	if len(r.open) == openMembers {
		r.open = slices.Delete(r.open, 0, 1)
	}
	r.open = append(r.open, member{index, read})
	return read, nil
}

// random returns what reads any range of a member.
func (z *ZIP) random(index int) (func(ctx context.Context, p []byte, off int64) (int, error), error) {
	source, size := z.archive.Sources[index], z.archive.Archive.Members[index].Size
	var content []byte
	var err error
	switch source {
	case fromJSON:
		content, err = openJSON(z.key, z.id, z.stored.Seq, z.stored.JSON)
		content = result.WrappedJSON(content)
	case fromXML:
		content, err = z.key.Open(z.stored.XML, about(aboutXML, z.id, z.stored.Seq))
	case fromSig:
		content, err = z.key.Open(z.stored.Signature, about(aboutSig, z.id, z.stored.Seq))
	default:
		return z.key.At(size, dossier.AboutFile(source), func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
			return z.service.files.Range(ctx, source, off, n)
		}), nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening a result: %w", err)
	}
	if int64(len(content)) != size {
		return nil, errors.New("reading an archive: a member has another size than was recorded")
	}
	return func(_ context.Context, p []byte, off int64) (int, error) { return copy(p, content[off:]), nil }, nil
}
