package seal

import (
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

const (
	streamVersion = 1
	segmentSize   = 64 << 10              // sealed, its tag included
	streamHeader  = 1 + 1 + KeySize + 7   // version; length, salt and nonce prefix
	segmentPlain  = segmentSize - tagSize // plain bytes in a full segment
	maxStreamSize = 1 << 47               // tink counts the segments in 32 bits
)

// stream returns the cipher for files. Each file gets a key of its own, derived from a
// random salt and the aad. The version byte counts into the first segment, so that segment
// n begins at n × 64 KiB of the sealed file.
func (k *Key) stream() (*subtle.AESGCMHKDF, error) {
	return subtle.NewAESGCMHKDF(k.derive("files"), "SHA256", KeySize, segmentSize, 1)
}

// Writer returns a writer that seals what it is given, in segments of 64 KiB bound to aad,
// and writes it to w. Close ends the stream: without it nothing can be opened to the end. It
// does not close w. After a failed write every further call fails and nothing more is
// written, so that half a file never looks whole.
func (k *Key) Writer(w io.Writer, aad []byte) (io.WriteCloser, error) {
	s, err := k.stream()
	if err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	if _, err := w.Write([]byte{streamVersion}); err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	enc, err := s.NewEncryptingWriter(w, aad)
	if err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	return &streamWriter{enc: enc}, nil
}

type streamWriter struct {
	enc    io.WriteCloser
	err    error
	closed bool
}

func (s *streamWriter) Write(p []byte) (int, error) {
	if s.closed {
		return 0, errors.New("writing to a closed stream")
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.enc.Write(p)
	if err != nil {
		s.err = fmt.Errorf("sealing a file: %w", err)
	}
	return n, s.err
}

func (s *streamWriter) Close() error {
	if s.closed || s.err != nil {
		return s.err
	}
	s.closed = true
	if err := s.enc.Close(); err != nil {
		s.err = fmt.Errorf("sealing a file: %w", err)
	}
	return s.err
}

// Reader returns a reader of what Writer sealed with the same aad. It hands out only bytes
// that are proven genuine, and ends with io.EOF only at the true end: a stream that was
// altered, cut or lengthened ends with another error, at every further call too.
func (k *Key) Reader(r io.Reader, aad []byte) (io.Reader, error) {
	s, err := k.stream()
	if err != nil {
		return nil, fmt.Errorf("opening a sealed file: %w", err)
	}
	var version [1]byte
	if _, err := io.ReadFull(r, version[:]); err != nil {
		return nil, fmt.Errorf("opening a sealed file: %w", noEOF(err))
	}
	if version[0] != streamVersion {
		return nil, fmt.Errorf("opening a sealed file: version %d is not known", version[0])
	}
	dec, err := s.NewDecryptingReader(r, aad)
	if err != nil {
		return nil, fmt.Errorf("opening a sealed file: %w", noEOF(err))
	}
	return &streamReader{dec: dec}, nil
}

type streamReader struct {
	dec io.Reader
	err error
}

func (s *streamReader) Read(p []byte) (int, error) {
	if s.err != nil || len(p) == 0 {
		return 0, s.err
	}
	n, err := s.dec.Read(p)
	if errors.Is(err, io.EOF) {
		s.err = io.EOF
	} else if err != nil {
		s.err = fmt.Errorf("opening a sealed file: %w", err)
	}
	return n, s.err
}

// noEOF makes an early end an error that no caller mistakes for the end of the file.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// SealedSize returns how many bytes Writer writes for a file of that many plain bytes, or
// -1 for a size that is negative or over 128 TiB.
func SealedSize(plain int64) int64 {
	if plain < 0 || plain > maxStreamSize {
		return -1
	}
	segments := max(1, (plain+streamHeader+segmentPlain-1)/segmentPlain)
	return streamHeader + plain + segments*tagSize
}
