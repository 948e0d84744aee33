package seal

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

const (
	noncePrefix = 7
	saltAt      = 2 // after the version and the length of tink's header

	// blockSegments is how many segments are read and opened at a time: enough to make
	// opening a file cheap beside decrypting it.
	blockSegments = 8
	blockPlain    = blockSegments * segmentPlain

	// keptBlocks is how many opened blocks a reader keeps: clients ask for many small
	// pieces that overlap, in about their order, and begin the next block while others
	// still read the last one.
	keptBlocks = 2
)

// At returns a function that reads any range of what Writer sealed with the same aad. size
// is the number of plain bytes of the file; sealed reads n bytes of the sealed file from off
// on, and may return fewer only where the file ends. The function has the contract of
// io.ReaderAt, for calls by several goroutines at once. It hands out only bytes that are
// proven genuine: every segment is bound to its place, to the file, and to being the last
// one of it or not. A file that was altered, cut or lengthened fails where the damage is; it
// never yields other bytes. Up to two blocks of 512 KiB of opened bytes are kept between
// calls.
func (k *Key) At(size int64, aad []byte, sealed func(ctx context.Context, off, n int64) (io.ReadCloser, error)) func(ctx context.Context, p []byte, off int64) (int, error) {
	f := &sealedFile{size: size, total: SealedSize(size), sealed: sealed}
	f.derive = func(salt []byte) (cipher.AEAD, error) {
		key, err := hkdf.Key(sha256.New, k.derive("files"), salt, string(aad), KeySize)
		if err != nil {
			return nil, err
		}
		return NewAEAD(key), nil
	}
	return f.readAt
}

// sealedFile is one file that is read here and there.
type sealedFile struct {
	size, total int64 // plain and sealed
	sealed      func(ctx context.Context, off, n int64) (io.ReadCloser, error)
	derive      func(salt []byte) (cipher.AEAD, error)

	head   sync.Mutex // while the header is read, and for what it gave
	aead   cipher.AEAD
	prefix [noncePrefix]byte

	gate  sync.Mutex
	kept  []*block // the one used last at the end
	spare [][]byte // room of blocks that were dropped
}

// block is a run of opened segments.
type block struct {
	number int64
	users  int // readers that copy from it now
	ready  chan struct{}
	plain  []byte
	err    error
}

// The plain bytes that a block begins at: the header lies in the first one.
func blockStart(number int64) int64 { return max(0, number*blockPlain-streamHeader) }

func blockOf(off int64) int64 { return (off + streamHeader) / blockPlain }

func (f *sealedFile) readAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 || f.total < 0 {
		return 0, errors.New("reading a sealed file: a place or a size that no file has")
	}
	n := 0
	for n < len(p) && off < f.size {
		c, err := f.copyFrom(ctx, p[n:], off)
		n, off = n+c, off+int64(c)
		if err != nil {
			return n, fmt.Errorf("reading a sealed file: %w", err)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// copyFrom copies what the block of that place holds of p.
func (f *sealedFile) copyFrom(ctx context.Context, p []byte, off int64) (int, error) {
	b, mine := f.take(blockOf(off))
	defer f.leave(b)
	if mine {
		b.plain, b.err = f.open(ctx, b.number, f.room())
		close(b.ready)
	} else {
		select {
		case <-b.ready:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	if b.err != nil {
		f.forget(b)
		return 0, b.err
	}
	return copy(p, b.plain[off-blockStart(b.number):]), nil
}

// take returns the block of that number; true: the caller must open it.
func (f *sealedFile) take(number int64) (b *block, mine bool) {
	f.gate.Lock()
	defer f.gate.Unlock()
	if i := slices.IndexFunc(f.kept, func(b *block) bool { return b.number == number }); i >= 0 {
		b = f.kept[i]
		f.kept = append(slices.Delete(f.kept, i, i+1), b)
		b.users++
		return b, false
	}
	f.trim(keptBlocks - 1)
	b = &block{number: number, users: 1, ready: make(chan struct{})}
	f.kept = append(f.kept, b)
	return b, true
}

// trim drops blocks that nobody uses, the oldest first, until so many are left.
func (f *sealedFile) trim(most int) {
	surplus := len(f.kept) - most
	f.kept = slices.DeleteFunc(f.kept, func(b *block) bool {
		if surplus <= 0 || b.users > 0 {
			return false
		}
		surplus--
		if len(f.spare) < keptBlocks && cap(b.plain) > 0 {
			f.spare = append(f.spare, b.plain[:0])
		}
		return true
	})
}

func (f *sealedFile) leave(b *block) {
	f.gate.Lock()
	defer f.gate.Unlock()
	b.users--
	f.trim(keptBlocks)
}

// forget drops a block that could not be opened: another try may succeed.
func (f *sealedFile) forget(b *block) {
	f.gate.Lock()
	defer f.gate.Unlock()
	f.kept = slices.DeleteFunc(f.kept, func(other *block) bool { return other == b })
}

// room returns where a block can be opened into.
func (f *sealedFile) room() []byte {
	f.gate.Lock()
	defer f.gate.Unlock()
	if n := len(f.spare); n > 0 {
		r := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return r
	}
	return nil
}

// open reads and opens a block. Each segment is opened in its place: the room is as long as
// the sealed bytes, and the plain ones are pushed together afterwards.
func (f *sealedFile) open(ctx context.Context, number int64, room []byte) ([]byte, error) {
	from := number * blockSegments * segmentSize
	length := min(blockSegments*segmentSize, f.total-from)
	if int64(cap(room)) < length {
		room = make([]byte, length)
	}
	room = room[:length]
	if err := f.fetch(ctx, from, room); err != nil {
		return nil, err
	}
	if err := f.header(ctx, from, room); err != nil {
		return nil, err
	}
	plain := room[:0]
	for at := int64(0); at < length; at += segmentSize {
		segment := room[at:min(at+segmentSize, length)]
		if from+at == 0 {
			segment = segment[streamHeader:]
		}
		opened, err := f.aead.Open(segment[:0], f.nonce((from+at)/segmentSize), segment, nil)
		if err != nil {
			return nil, errors.New("a segment was altered, or belongs to another file, place or key")
		}
		plain = append(plain, opened...)
	}
	return plain, nil
}

// fetch fills b with sealed bytes.
func (f *sealedFile) fetch(ctx context.Context, off int64, b []byte) (err error) {
	r, err := f.sealed(ctx, off, int64(len(b)))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	_, err = io.ReadFull(r, b)
	return noEOF(err)
}

// header reads the key and the nonces of the file from its first bytes, once. b are those
// bytes where from is zero.
func (f *sealedFile) header(ctx context.Context, from int64, b []byte) error {
	f.head.Lock()
	defer f.head.Unlock()
	if f.aead != nil {
		return nil
	}
	if from != 0 {
		b = make([]byte, streamHeader)
		if err := f.fetch(ctx, 0, b); err != nil {
			return err
		}
	}
	if b[0] != streamVersion {
		return fmt.Errorf("version %d is not known", b[0])
	}
	if int(b[1]) != streamHeader-1 {
		return errors.New("its header has another length")
	}
	aead, err := f.derive(b[saltAt : saltAt+KeySize])
	if err != nil {
		return err
	}
	copy(f.prefix[:], b[saltAt+KeySize:streamHeader])
	f.aead = aead
	return nil
}

// nonce is that of a segment: the file's prefix, the number, and whether it is the last.
func (f *sealedFile) nonce(segment int64) []byte {
	n := make([]byte, nonceSize)
	copy(n, f.prefix[:])
	binary.BigEndian.PutUint32(n[noncePrefix:], uint32(segment)) //nolint:gosec // bounded by maxStreamSize
	if (segment+1)*segmentSize >= f.total {
		n[nonceSize-1] = 1
	}
	return n
}
