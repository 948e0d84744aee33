package signing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// Content is a file that can be handed out.
type Content struct {
	MIMEType string
	Size     int64
	Hash     []byte // SHA-256

	service *Service
	key     vault.Key
	blob    string
}

func (s *Service) content(key vault.Key, f esign.File, mimeType string) (*Content, error) {
	if f.IsZero() {
		return nil, fault.Of(fault.NotFound)
	}
	return &Content{MIMEType: mimeType, Size: f.Size, Hash: f.Hash, service: s, key: key, blob: f.Blob}, nil
}

// WriteTo writes the file. It has written all of it, proven genuine, when it returns nil.
func (c *Content) WriteTo(ctx context.Context, w io.Writer) error {
	r, closeFile, err := c.service.open(ctx, c.key, c.blob)
	if err != nil {
		return err
	}
	defer closeFile()
	n, err := io.Copy(w, r)
	if err != nil {
		return fmt.Errorf("handing a document out: %w", err)
	}
	if n != c.Size {
		return errors.New("handing a document out: it has another size than was recorded")
	}
	return nil
}

// open reads a sealed file. fault.NotFound when it is gone.
func (s *Service) open(ctx context.Context, key vault.Key, blob string) (io.Reader, func(), error) {
	sealed, err := s.Files.Open(ctx, blob)
	if err != nil {
		return nil, nil, err
	}
	r, err := key.Reader(sealed, dossier.AboutFile(blob))
	if err != nil {
		_ = sealed.Close() // the first error tells more
		return nil, nil, fmt.Errorf("opening a document: %w", err)
	}
	return r, func() { _ = sealed.Close() }, nil // it was only read
}

// receive seals what a client sends into a new file of the folder, as it comes. It is
// fault.TooLarge when it is, fault.Invalid when nothing or not all of it comes; nothing is
// left of it then.
func (s *Service) receive(ctx context.Context, key vault.Key, folder string, about esign.Identifier, content io.Reader) (esign.File, error) {
	f := esign.File{Blob: folder + "/" + s.NewID()}
	sum, crc := sha256.New(), crc32.NewIEEE()
	from := &arriving{r: io.LimitReader(content, esign.MaxFile+1)}
	err := s.Files.Create(ctx, f.Blob, func(w io.Writer) error {
		sealing, err := key.Writer(w, dossier.AboutFile(f.Blob))
		if err != nil {
			return err
		}
		if f.Size, err = io.Copy(io.MultiWriter(sum, crc, sealing), from); err != nil {
			return err
		}
		if f.Size > esign.MaxFile {
			return fault.New(fault.TooLarge, "A document has at most %d bytes", esign.MaxFile)
		}
		if f.Size == 0 {
			return fault.New(fault.Invalid, "The file is empty").In(string(about))
		}
		return sealing.Close()
	})
	if from.err != nil {
		return esign.File{}, fault.New(fault.Invalid, "The file did not arrive whole").In(string(about)).Because(fmt.Errorf("%w: %w", ErrCut, from.err))
	}
	if err != nil {
		return esign.File{}, err
	}
	f.Hash, f.CRC32 = sum.Sum(nil), crc.Sum32()
	return f, nil
}

// ErrCut says, within a fault.Invalid, that nothing is wrong with the file, but that it did
// not arrive whole.
var ErrCut = errors.New("cut off")

// arriving notes what went wrong at the client's end.
type arriving struct {
	r   io.Reader
	err error
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		a.err = err
	}
	return n, err
}

// drop removes a file after an error, unless it is in use: a commit can succeed and its
// answer be lost. One that stays behind is sealed, and goes with what it was for.
func (s *Service) drop(ctx context.Context, f esign.File, used func(ctx context.Context) (bool, error)) {
	ctx = context.WithoutCancel(ctx)
	inUse, err := used(ctx)
	if fault.Is(err, fault.NotFound) {
		inUse, err = false, nil
	}
	if err == nil && !inUse {
		err = s.Files.Delete(ctx, f.Blob)
	}
	if err != nil {
		s.Log.LogAttrs(ctx, slog.LevelError, "removing a file that came to nothing", slog.Any("error", err))
	}
}

// inspect says whether a file can be signed and has the places that it needs. Files of other
// types than PDF have none.
func (s *Service) inspect(ctx context.Context, key vault.Key, f esign.File, mimeType string, rules esign.Rules, signatures []esign.Signature, about esign.Identifier) error {
	if s.Inspector == nil || f.IsZero() || !esign.IsPDF(mimeType) {
		return nil
	}
	select {
	case s.inspections <- struct{}{}:
		defer func() { <-s.inspections }()
	case <-ctx.Done():
		return ctx.Err()
	}
	content, err := s.bytes(ctx, key, f)
	if err != nil {
		return err
	}
	if err := s.Inspector.Check(ctx, content); err != nil {
		return named(err, about)
	}
	if len(signatures) == 0 {
		return nil
	}
	spots, err := s.Inspector.Places(ctx, content, signatures)
	if err != nil {
		return named(err, about)
	}
	return rules.CheckSpots(signatures, spots)
}

// bytes reads a file whole.
func (s *Service) bytes(ctx context.Context, key vault.Key, f esign.File) ([]byte, error) {
	r, closeFile, err := s.open(ctx, key, f.Blob)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	var b bytes.Buffer
	b.Grow(int(f.Size) + bytes.MinRead)
	if _, err := b.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("reading a document: %w", err)
	}
	return b.Bytes(), nil
}

// named says which document a fault is about, where nothing else is named.
func named(err error, about esign.Identifier) error {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Key == "" {
		return e.In(string(about))
	}
	return err
}

// copyFile seals a file anew, under another key and name.
func (s *Service) copyFile(ctx context.Context, oldKey vault.Key, f esign.File, newKey vault.Key, folder string) (esign.File, error) {
	if f.IsZero() {
		return f, nil
	}
	r, closeFile, err := s.open(ctx, oldKey, f.Blob)
	if err != nil {
		return f, err
	}
	defer closeFile()
	f.Blob = folder + "/" + s.NewID()
	return f, s.Files.Create(ctx, f.Blob, func(w io.Writer) error {
		sealing, err := newKey.Writer(w, dossier.AboutFile(f.Blob))
		if err != nil {
			return err
		}
		if _, err := io.Copy(sealing, r); err != nil {
			return err
		}
		return sealing.Close()
	})
}
