// Left out of fuzzing, which would compile the database anew.
//go:build !fuzz

package sftpd_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"vidimus/internal/blob"
	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/keys"
	"vidimus/internal/server/sftpd"
	"vidimus/internal/service/account"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/jobs"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/vault"
	"vidimus/internal/service/videoident"
	"vidimus/internal/store"
)

const (
	bank   = company.ID("ihrebank")
	other  = company.ID("testbank")
	apiKey = "exampleApiKey"
)

// settings are what tests choose.
type settings struct {
	live   bool
	limits sftpd.Limits
	keys   []string // of the bank, as in authorized_keys
}

// platform is the real services over an embedded store, and the server on the loopback.
type platform struct {
	testing.TB
	clock    clock.Clock
	offset   atomic.Int64
	db       *store.DB
	accounts *account.Directory
	publish  *publish.Service
	identify *identify.Service
	video    *videoident.Service
	server   *sftpd.Server
	addr     string
	log      *safeBuffer
	served   chan error
}

type safeBuffer struct {
	gate sync.Mutex
	b    bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.b.String()
}

var ids atomic.Int64

func newID() string { return fmt.Sprintf("%026x", ids.Add(1)) }

// hostKeys are made once: RSA takes a while.
var hostKeys = sync.OnceValue(func() []crypto.Signer {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return []crypto.Signer{ed, r}
})

func newPlatform(t testing.TB, s settings) *platform {
	t.Helper()
	p := &platform{TB: t, log: &safeBuffer{}, served: make(chan error, 1)}
	begun := time.Now()
	p.clock = clock.New(func() time.Time { return begun.Add(time.Duration(p.offset.Load())) }, 1)
	dir, ctx, log := t.TempDir(), context.Background(), slog.New(slog.NewTextHandler(p.log, nil))
	master, err := keys.OpenMaster(filepath.Join(dir, "master"))
	p.ok(err)
	keyStore, err := keys.Open(ctx, filepath.Join(dir, "keys.db"), master)
	p.ok(err)
	p.db, err = store.Open(ctx, "", dir, master.Derive("audit"))
	p.ok(err)
	files, err := blob.Open(ctx, "", filepath.Join(dir, "files"))
	p.ok(err)
	vaultKeys, folders := keyring{keyStore}, folder{files}
	p.accounts = account.New(p.db, master, p.clock, newID, newID)
	runner := jobs.NewRunner(p.db, "node", p.clock, log, newID) // never run
	p.publish = publish.New(publish.Options{
		Store: p.db, Keys: vaultKeys, Files: folders, Accounts: p.accounts, Jobs: runner, Master: master, Reporter: reporter{},
		Clock: p.clock, Random: rand.Reader, NewID: newID, Node: "node", Log: log,
	})
	documents := signing.New(signing.Options{
		Store: p.db, Keys: vaultKeys, Files: folders, Accounts: p.accounts, Jobs: runner, Master: master, Defaults: master.Key("default documents"),
		Clock: p.clock, NewID: newID, Log: log,
	})
	p.identify = identify.New(identify.Options{
		Store: p.db, Keys: vaultKeys, Files: folders, Signing: documents, Accounts: p.accounts, Jobs: runner, Publish: p.publish, Clock: p.clock, Random: rand.Reader,
		NewID: newID, Log: log, Test: true,
	})
	p.video = videoident.New(videoident.Options{
		Store: p.db, Keys: vaultKeys, Files: folders, Accounts: p.accounts, Publish: p.publish, Jobs: runner, Clock: p.clock, NewID: newID, Log: log,
	})
	p.apply(bank, func(c *company.Company) { c.Realtime, c.Archive, c.SFTP.SSHKeys = true, true, s.keys })
	p.apply(other, func(*company.Company) {})
	p.server, err = sftpd.New(sftpd.Options{
		Login: login.New(p.db, p.accounts, p.clock, rand.Reader), Accounts: p.accounts, Identify: p.identify, Publish: p.publish, HostKeys: hostKeys(),
		Clock: p.clock, Log: log, Live: s.live, Limits: s.limits,
	})
	p.ok(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p.ok(err)
	p.addr = l.Addr().String()
	go func() { p.served <- p.server.Serve(l) }()
	running, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { p.publish.Run(running) })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_ = p.server.Shutdown(ctx) // clients may still be there
		if err := <-p.served; err != nil {
			t.Error(err)
		}
		stop()
		work.Wait()
		if err := errors.Join(files.Close(), p.db.Close(), keyStore.Close()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *platform) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *platform) apply(id company.ID, change func(c *company.Company)) {
	p.Helper()
	c := company.New(id, company.Shortcode(map[company.ID]string{bank: "IBA", other: "TSB"}[id]), string(id))
	if a, ok := p.accounts.Get(id); ok {
		c = a.Company
	}
	change(&c)
	p.ok(p.accounts.Apply(context.Background(), c, company.Secrets{APIKeys: []string{map[company.ID]string{bank: apiKey, other: "testbankApiKey"}[id]}}))
}

func (p *platform) account(id company.ID) *account.Account {
	p.Helper()
	a, ok := p.accounts.Get(id)
	if !ok {
		p.Fatalf("no %s", id)
	}
	return a
}

// preliminary makes an identification that waits for its review, with a recording of that
// many bytes.
func (p *platform) preliminary(id company.ID, number string, size int) videoident.Case {
	p.Helper()
	ctx, a := context.Background(), p.account(id)
	started, err := p.identify.Start(ctx, a, number, person.Application{Userdata: map[person.Field]string{person.Firstname: "Anna", person.Lastname: "Beispiel"}})
	p.ok(err)
	c := videoident.Case{Company: id, ID: started.ID}
	p.ok(p.video.Request(ctx, c, ident.VideoIdent, ident.Web, nil))
	p.ok(p.video.Take(ctx, c, "A"))
	sound := make([]byte, size)
	_, _ = rand.Read(sound)
	p.ok(p.video.Record(ctx, c, pieces(sound)...))
	p.ok(p.video.Conclude(ctx, c, evidence.Verdict{Data: person.Data{
		Userdata: map[person.Field]string{person.Firstname: "ANNA", person.Lastname: "BEISPIEL"},
		Document: map[person.DocumentField]string{person.DocumentType: "IDCARD", person.DocumentNumber: "X1"},
	}}))
	return c
}

// finished makes one whose review is over.
func (p *platform) finished(id company.ID, number string, size int) videoident.Case {
	p.Helper()
	c := p.preliminary(id, number, size)
	p.ok(p.video.Review(context.Background(), c, evidence.Review{Decision: evidence.Confirm, Reviewer: "B"}))
	return c
}

// pieces is everything that a verdict needs.
func pieces(sound []byte) []videoident.Piece {
	all := []videoident.Piece{
		{What: evidence.Reading{Field: "lastname", Value: "BEISPIEL", Source: evidence.VisualZone}},
		{What: evidence.Code{To: "***1"}},
		{What: evidence.Recording{Key: "audiolog", Format: "mp3"}, Bytes: sound},
	}
	for _, key := range []string{"idfrontside", "userface"} {
		all = append(all, videoident.Piece{What: evidence.Image{Key: key, Format: "jpeg", By: "A"}, Bytes: []byte("a picture of " + key)})
	}
	for _, name := range []string{evidence.DocumentGenuine, evidence.FaceMatches, evidence.PersonPresent} {
		all = append(all, videoident.Piece{What: evidence.Check{Name: name, Passed: true, By: "A"}})
	}
	return all
}

// zip is the archive as REST hands it out.
func (p *platform) zip(c videoident.Case) []byte {
	p.Helper()
	i, err := p.db.IdentificationByID(context.Background(), c.Company, c.ID)
	p.ok(err)
	z, err := p.publish.ZIP(context.Background(), p.account(c.Company), i)
	p.ok(err)
	var b bytes.Buffer
	p.ok(z.Write(context.Background(), &b))
	return b.Bytes()
}

// dial logs in.
func (p *platform) dial(user string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", p.addr, &ssh.ClientConfig{User: user, Auth: auth, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 30 * time.Second})
}

// client is the bank's.
func (p *platform) client() *sftp.Client {
	p.Helper()
	return p.clientOf(bank, apiKey)
}

func (p *platform) clientOf(id company.ID, key string) *sftp.Client {
	p.Helper()
	c, err := p.dial(string(id), ssh.Password(key))
	p.ok(err)
	s, err := sftp.NewClient(c)
	p.ok(err)
	p.Cleanup(func() { _ = errors.Join(s.Close(), c.Close()) })
	return s
}

// The adapters that cmd/vidimus has, as far as these tests need them.

type keyring struct{ *keys.Store }

func (k keyring) Draw(ctx context.Context) (string, vault.Key, error) {
	id, key, err := k.Store.Draw(ctx)
	return string(id), key, err
}

func (k keyring) Undraw(string, vault.Key) {}

func (k keyring) Get(ctx context.Context, id string) (vault.Key, error) {
	key, err := k.Store.Get(ctx, keys.ID(id))
	if errors.Is(err, keys.ErrDestroyed) {
		return nil, fault.Of(fault.NotFound).Because(err)
	}
	return key, err
}

func (k keyring) GetMany(ctx context.Context, ids []string) (map[string]vault.Key, error) {
	all := map[string]vault.Key{}
	for _, id := range ids {
		if key, err := k.Store.Get(ctx, keys.ID(id)); err == nil {
			all[id] = key
		}
	}
	return all, nil
}

func (k keyring) Destroy(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		if err := k.Store.Destroy(ctx, keys.ID(id)); err != nil {
			return err
		}
	}
	return nil
}

type folder struct{ blob.Store }

func (f folder) Create(ctx context.Context, name string, write func(w io.Writer) error) error {
	w, err := f.Store.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := write(w); err != nil {
		return err
	}
	return w.Commit()
}

// reporter writes no more than the beginning and the end of a PDF.
type reporter struct{}

func (reporter) Report(w io.Writer, r publish.Report) error {
	_, err := fmt.Fprintf(w, "%%PDF-1.7\n%% %s\n%%%%EOF\n", r.Result.Process.ID)
	return err
}
