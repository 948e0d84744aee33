package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/keys"
	"vidimus/internal/pdf/sign"
	"vidimus/internal/store"
	"vidimus/internal/trust/ca"
)

// signing is what a process of its own measures: its memory is nobody else's, and it has so
// many cores as it is given.
type signing struct {
	Level  sign.Level
	Size   int // of the file that is signed, in bytes
	Cores  int
	Anew   bool // each signature with a key, a certificate and a row of its own, as the server does it
	Raw    bool // nothing but signatures of a digest
	Count  int  // how many; 0: as many as there is time for
	During time.Duration
	Dir    string // for the database
}

// signed is what came of it.
type signed struct {
	Count     int64
	Took      time.Duration
	Allocated float64 // bytes a signature
	Peak      float64 // memory, MB
}

func (s signed) rate() float64 { return float64(s.Count) / s.Took.Seconds() }

// sign measures the signer by itself, without the server around it.
func (b *bench) sign(ctx context.Context) error {
	raw := map[int]float64{}
	cores := []int{1}
	if n := runtime.NumCPU(); n > 1 {
		cores = append(cores, 2)
	}
	for _, n := range cores {
		got, err := b.signing(ctx, signing{Raw: true, Cores: n, During: b.raw})
		if err != nil {
			return err
		}
		raw[n] = got.rate()
		b.table.add(row{what: fmt.Sprintf("raw P-256 signatures, %s", ofCores(n)), value: perSecond(raw[n])})
	}
	for _, c := range []signing{{Level: sign.BB}, {Level: sign.BT}, {Level: sign.BLT}, {Level: sign.BB, Anew: true}, {Level: sign.BLT, Anew: true}} {
		for _, c.Size = range []int{100_000, 5_000_000} {
			for _, c.Cores = range cores {
				if c.Anew && c.Size > 100_000 {
					continue
				}
				if err := b.signed(ctx, c, raw[c.Cores]); err != nil {
					return err
				}
			}
		}
	}
	few, err := b.signing(ctx, signing{Level: sign.BB, Size: 100_000, Cores: 1, Anew: true, Count: 100})
	if err != nil {
		return err
	}
	many, err := b.signing(ctx, signing{Level: sign.BB, Size: 100_000, Cores: 1, Anew: true, Count: b.signatures})
	if err != nil {
		return err
	}
	b.table.add(row{what: fmt.Sprintf("memory of 100 and of %d signatures", b.signatures), value: fmt.Sprintf("%.0f / %.0f MB", few.Peak, many.Peak), aim: "the same", note: "B-B, 100 kB, peaks"})
	return nil
}

func ofCores(n int) string {
	if n == 1 {
		return "one core"
	}
	return fmt.Sprintf("%d cores", n)
}

// signed measures one kind of signature: the median of the runs.
func (b *bench) signed(ctx context.Context, c signing, raw float64) error {
	c.During = b.raw
	all := make([]signed, b.runs)
	for n := range all {
		var err error
		if all[n], err = b.signing(ctx, c); err != nil {
			return err
		}
	}
	got := median(all, signed.rate)
	r := row{
		what:  fmt.Sprintf("%s of %.1f MB, %s", levelNames[c.Level], float64(c.Size)/1e6, ofCores(c.Cores)),
		value: perSecond(got.rate()),
		note:  fmt.Sprintf("%.2f × the raw signature, %.2f × the file allocated", got.rate()/raw, got.Allocated/float64(c.Size)),
	}
	if c.Anew {
		r.what += ", own key and certificate"
	}
	if c.Level == sign.BB && c.Size == 100_000 {
		r.aim = fmt.Sprintf("%d /s", 300*c.Cores)
	}
	b.table.add(r)
	return nil
}

var levelNames = map[sign.Level]string{sign.BB: "B-B", sign.BT: "B-T", sign.BLT: "B-LT"}

// signing runs this very program for one measurement.
func (b *bench) signing(ctx context.Context, c signing) (got signed, err error) {
	c.Dir, err = os.MkdirTemp(b.dir, "sign.")
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.Dir)) }()
	self, err := os.Executable()
	if err != nil {
		return got, err
	}
	order, err := json.Marshal(c)
	if err != nil {
		return got, err
	}
	child := exec.CommandContext(ctx, self, "-signing", string(order)) //nolint:gosec // G204: this program
	child.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", c.Cores))
	child.Stderr = os.Stderr
	out, err := child.Output()
	if err != nil {
		return got, fmt.Errorf("signing: %w", err)
	}
	return got, json.Unmarshal(out, &got)
}

// measureSigning is what the child does.
func measureSigning(ctx context.Context, order string) error {
	var c signing
	if err := json.Unmarshal([]byte(order), &c); err != nil {
		return err
	}
	one, done, err := c.maker(ctx)
	if err != nil {
		return err
	}
	if err := one(); err != nil { // fonts are read, pages are there
		return err
	}
	got, err := c.measure(one)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return err
	}
	got.Peak = float64(u.Maxrss) / 1024
	return json.NewEncoder(os.Stdout).Encode(got)
}

func (c signing) measure(one func() error) (signed, error) {
	workers := c.Cores
	if c.Anew {
		workers *= 4 // some wait for the disk
	}
	var count atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, workers)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for n := range workers {
		all.Go(func() {
			for errs[n] == nil {
				if c.Count > 0 && count.Add(1) > int64(c.Count) || c.Count == 0 && time.Since(began) > c.During {
					return
				}
				if errs[n] = one(); c.Count == 0 {
					count.Add(1)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	total := count.Load()
	if c.Count > 0 {
		total = int64(c.Count)
	}
	return signed{Count: total, Took: took, Allocated: float64(after.TotalAlloc-before.TotalAlloc) / float64(total)}, errors.Join(errs...)
}

// maker returns what makes one signature.
func (c signing) maker(ctx context.Context) (one, done func() error, err error) {
	if c.Raw {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		digest := sha256.Sum256([]byte("a document"))
		return func() error { _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); return err }, func() error { return nil }, err
	}
	db, err := store.Open(ctx, "", c.Dir, nil)
	if err != nil {
		return nil, nil, err
	}
	master, err := keys.OpenMaster(filepath.Join(c.Dir, "master"))
	if err != nil {
		return nil, nil, err
	}
	a, err := ca.Open(ctx, db, master, clock.New(time.Now, 1), "https://ident.example.com/assets/certs", ca.Config{})
	if err != nil {
		return nil, nil, err
	}
	who := ca.Subject{GivenName: "Erika", Surname: "Mustermann", Country: "DE"}
	held, err := a.Begin(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	content := blank(c.Size)
	with := func(s *ca.Session) error {
		_, err := sign.Sign(ctx, content, sign.Request{Level: c.Level, Time: time.Now(), Name: "Erika Mustermann"}, credential{s})
		return err
	}
	one = func() error { return with(held) }
	if c.Anew {
		one = func() error {
			s, err := a.Begin(ctx, who)
			if err != nil {
				return err
			}
			return errors.Join(with(s), s.Close())
		}
	}
	return one, func() error { return errors.Join(held.Close(), db.Close()) }, nil
}

// credential gives a session of the authority the shape that the signer asks for.
type credential struct{ *ca.Session }

func (c credential) Validation(ctx context.Context) (sign.Validation, error) {
	v, err := c.Session.Validation(ctx)
	return sign.Validation(v), err
}

// blank is a PDF of one page with so many bytes of nothing on it.
func blank(size int) []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	for n, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", size, bytes.Repeat([]byte(" "), size)),
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n+1, object)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.Bytes()
}
