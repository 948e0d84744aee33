package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vidimus/internal/blob"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/result"
	"vidimus/internal/keys"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
	"vidimus/internal/store"
)

// sample is a finished identification whose ZIP has about that many bytes.
type sample struct {
	number string
	size   int64
}

// pattern repeats; what it is does not matter to any cipher.
type pattern struct{ block []byte }

func newPattern() *pattern {
	p := &pattern{make([]byte, 1<<20)}
	_, _ = rand.NewChaCha8([32]byte{1}).Read(p.block)
	return p
}

func (p *pattern) reader(n int64) io.Reader { return io.LimitReader(&endless{p.block, 0}, n) }

type endless struct {
	block []byte
	at    int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.block[e.at:])
	e.at = (e.at + n) % len(e.block)
	return n, nil
}

// seedFiles makes the samples as the services leave them, and the same ZIPs as plain files
// in a folder.
func seedFiles(ctx context.Context, s settings, folder string, all []sample) (err error) {
	m, err := newMaker(ctx, s.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.keys.Close()) }()
	master, err := keys.OpenMaster(s.data + "/keys/master")
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, s.database, s.data, master.Derive("audit"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := blob.Open(ctx, "", filepath.Join(s.data, "files"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	p := newPattern()
	for n, one := range all {
		if err := seedFile(ctx, m, master, db, files, p, folder, n, one); err != nil {
			return fmt.Errorf("seeding %s: %w", one.number, err)
		}
	}
	return nil
}

func seedFile(ctx context.Context, m *maker, master keys.Master, db *store.DB, files blob.Store, p *pattern, folder string, n int, one sample) error {
	f, err := m.finished(ctx, n)
	if err != nil {
		return err
	}
	id, old := f.ID, string(f.Number)
	key, err := m.keys.Get(ctx, keys.ID(f.KeyID))
	if err != nil {
		return err
	}
	bare, err := key.Open(f.result.JSON, vault.About("result json/1", id))
	if err != nil {
		return err
	}
	bare = []byte(strings.ReplaceAll(string(bare), old, one.number))
	f.Number, f.result.JSON = ident.TransactionNumber(one.number), key.Seal(bare, vault.About("result json/1", id))
	f.FileKey = hex.EncodeToString(master.Hash("result file name", []byte(companyID+"\x00"+one.number)))
	name := dossier.KeyFolder(f.Identification) + "/video.mp4"
	if err := sealInto(ctx, files, key, name, p.reader(one.size)); err != nil {
		return err
	}
	wrapped := result.WrappedJSON(bare)
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, p.reader(one.size)); err != nil {
		return err
	}
	archive := struct {
		Archive result.Archive
		Sources []string
	}{result.Archive{Modified: f.FinishedAt.Truncate(time.Second), Members: []result.Member{
		{Name: one.number + ".json", Size: int64(len(wrapped)), CRC32: crc32.ChecksumIEEE(wrapped)},
		{Name: one.number + ".mp4", Size: one.size, CRC32: sum.Sum32()},
	}}, []string{"json", name}}
	plain, err := os.Create(filepath.Join(folder, one.number+".zip"))
	if err != nil {
		return err
	}
	hash := sha256.New()
	err = archive.Archive.Write(io.MultiWriter(plain, hash), func(member string) (io.ReadCloser, error) {
		if strings.HasSuffix(member, ".json") {
			return io.NopCloser(strings.NewReader(string(wrapped))), nil
		}
		return io.NopCloser(p.reader(one.size)), nil
	})
	if err := errors.Join(err, plain.Close()); err != nil {
		return err
	}
	archive.Archive.SHA256 = hex.EncodeToString(hash.Sum(nil))
	text, err := json.Marshal(archive)
	if err != nil {
		return err
	}
	f.result.Archive, f.result.Event = string(text), company.Final
	return db.InTx(ctx, func(ctx context.Context) error {
		if _, err := db.CreateIdentification(ctx, f.Identification); err != nil {
			return err
		}
		return db.AddResult(ctx, f.result)
	})
}

func sealInto(ctx context.Context, files blob.Store, key *keys.Key, name string, content io.Reader) error {
	w, err := files.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	sealed, err := key.Writer(w, dossier.AboutFile(name))
	if err != nil {
		return err
	}
	if _, err := io.Copy(sealed, content); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return err
	}
	return w.Commit()
}
