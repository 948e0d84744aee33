package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// side is a server that is measured over SFTP: ours or OpenSSH's.
type side struct {
	name   string
	port   string
	user   string
	folder string // where the files lie
	pid    int    // zero: many processes
}

// What is fetched: the results of a video identification, and small ones for what a file
// costs beside its bytes.
const (
	middle      = 2_000_000
	small       = 4_000
	middleFiles = 32
	smallFiles  = 64
	signIns     = 8 // clients that log in at the same time
)

// sftp measures SFTP beside OpenSSH's server, which reads the same ZIPs from files. MB/s and
// files of 2 MB are fetched by OpenSSH's `sftp`, a process for each session, as companies
// do; log-ins and small files by a client in this process, or it would be the client's start
// that is measured.
func (b *bench) sftp(ctx context.Context) error {
	s, err := b.fresh(ctx, sqlite, "sftp")
	if err != nil {
		return err
	}
	signer, keyFile, err := makeUserKey(s.data)
	if err != nil {
		return err
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	if err := b.applyWith(ctx, s, "sftp: {ssh_keys: ['"+public+"']}\n"); err != nil {
		return err
	}
	folder := filepath.Join(s.data, "plain")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	all := []sample{{"big", int64(b.bigFile) * 1_000_000}}
	for n := range middleFiles {
		all = append(all, sample{"middle" + strconv.Itoa(n), middle})
	}
	for n := range smallFiles {
		all = append(all, sample{"small" + strconv.Itoa(n), small})
	}
	if err := seedFiles(ctx, s, folder, all); err != nil {
		return err
	}
	theirs, err := startSSHD(s.data, public)
	if err != nil {
		return fmt.Errorf("starting OpenSSH's server: %w", err)
	}
	v, err := b.serve(ctx, s)
	if err != nil {
		return errors.Join(err, theirs.stop())
	}
	_, port, err := net.SplitHostPort(v.sftp)
	if err != nil {
		return err
	}
	c := &compared{bench: b, signer: signer, key: keyFile, sides: []side{
		{name: "OpenSSH", port: theirs.port, user: theirs.user, folder: folder},
		{name: "ours", port: port, user: companyID, folder: "/", pid: v.pid()},
	}}
	err = c.ready()
	if err == nil {
		err = c.measure(ctx)
	}
	_, peak := resident(v.pid())
	b.table.add(row{what: "SFTP: memory at most", value: fmt.Sprintf("%.0f MB", peak)})
	return errors.Join(err, v.stop(), theirs.stop())
}

// makeUserKey makes the key that the clients log in with.
func makeUserKey(dir string) (ssh.Signer, string, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(dir, "user")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, "", err
	}
	signer, err := ssh.NewSignerFromSigner(key)
	return signer, file, err
}

// compared is one measurement of two servers with the same clients.
type compared struct {
	*bench
	signer ssh.Signer
	key    string
	sides  []side
}

func (c *compared) dial(s side) (*ssh.Client, error) {
	return ssh.Dial("tcp", "127.0.0.1:"+s.port, &ssh.ClientConfig{
		User: s.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(c.signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second, //nolint:gosec // ours
	})
}

// ready waits for both, and compares what they hand out.
func (c *compared) ready() error {
	var first []byte
	for _, s := range c.sides {
		client, err := c.dial(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		files, err := sftp.NewClient(client)
		if err != nil {
			return err
		}
		f, err := files.Open(s.folder + "/middle0.zip")
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		content, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close(), files.Close(), client.Close()); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			return err
		}
		if first == nil {
			first = content
		} else if !slices.Equal(first, content) {
			return errors.New("the two servers hand out different files")
		}
	}
	return nil
}

func (c *compared) measure(ctx context.Context) error {
	for _, sessions := range []int{1, 8} {
		err := c.compare(fmt.Sprintf("SFTP: file of %d MB, %d at once", c.bigFile, sessions), "MB/s", map[int]float64{1: 0.6, 8: 0.8}[sessions], func(s side) (float64, error) {
			took, err := c.fetch(ctx, s, sessions, []string{"big"})
			return float64(sessions*c.bigFile) / took.Seconds(), err
		})
		if err != nil {
			return err
		}
	}
	for _, sessions := range []int{1, 8, 32} {
		var names []string
		for n := range middleFiles {
			names = append(names, "middle"+strconv.Itoa(n))
		}
		err := c.compare(fmt.Sprintf("SFTP: ZIPs of 2 MB, %d at once", sessions), "/s", 0, func(s side) (float64, error) {
			took, err := c.fetch(ctx, s, sessions, names)
			return float64(sessions*len(names)) / took.Seconds(), err
		})
		if err != nil {
			return err
		}
	}
	for _, sessions := range []int{1, 8} {
		err := c.compare(fmt.Sprintf("SFTP: files of 4 KB, %d at once", sessions), "/s", 2, func(s side) (float64, error) { return c.smallFiles(ctx, s, sessions) })
		if err != nil {
			return err
		}
	}
	return c.compare(fmt.Sprintf("SFTP: log-ins, %d at once", signIns), "/s", 2, func(s side) (float64, error) { return c.logins(ctx, s) })
}

// compare measures both, in turns, and adds the medians and their relation to the table.
func (c *compared) compare(what, unit string, aim float64, measure func(s side) (float64, error)) error {
	rates := make([][]float64, len(c.sides))
	var cpu share
	for range c.runs {
		for n, s := range c.sides {
			before := look(s.pid)
			rate, err := measure(s)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", what, s.name, err)
			}
			if rates[n] = append(rates[n], rate); s.pid != 0 {
				cpu = look(s.pid).since(before)
			}
		}
	}
	same := func(f float64) float64 { return f }
	theirs, ours := median(rates[0], same), median(rates[1], same)
	r := row{what: what, value: fmt.Sprintf("%.0f %s", ours, unit), cpu: cpu, note: fmt.Sprintf("%.2f x OpenSSH's %.0f", ours/theirs, theirs)}
	if aim > 0 {
		r.aim = fmt.Sprintf(">= %.1f x OpenSSH", aim)
	}
	c.table.add(r)
	return nil
}

// fetch has so many `sftp` programs fetch the files one after the other, to nowhere.
func (c *compared) fetch(ctx context.Context, s side, sessions int, names []string) (time.Duration, error) {
	var batch strings.Builder
	for _, name := range names {
		batch.WriteString("get " + s.folder + "/" + name + ".zip /dev/null\n")
	}
	file := filepath.Join(c.dir, "batch")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	errs := make([]error, sessions)
	began := time.Now()
	for n := range sessions {
		all.Go(func() {
			out, err := exec.CommandContext(ctx, "sftp", "-q", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", //nolint:gosec // ours
				"-o", "IdentitiesOnly=yes", "-i", c.key, "-P", s.port, "-b", file, s.user+"@127.0.0.1").CombinedOutput()
			if err != nil {
				errs[n] = fmt.Errorf("%w: %s", err, out)
			}
		})
	}
	all.Wait()
	return time.Since(began), errors.Join(errs...)
}

// smallFiles opens, reads and closes files, one after the other in each session.
func (c *compared) smallFiles(ctx context.Context, s side, sessions int) (float64, error) {
	return c.many(ctx, sessions, func(n int) (func() error, func() error, error) {
		client, err := c.dial(s)
		if err != nil {
			return nil, nil, err
		}
		files, err := sftp.NewClient(client)
		if err != nil {
			return nil, nil, err
		}
		buffer := make([]byte, 64<<10)
		do := func() error {
			n++
			f, err := files.Open(s.folder + "/small" + strconv.Itoa(n%smallFiles) + ".zip")
			if err != nil {
				return err
			}
			if _, err := f.ReadAt(buffer[:small], 0); err != nil {
				return err
			}
			// Beyond what was read lies the directory of the ZIP: the last byte too.
			if _, err := f.ReadAt(buffer, small); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			return f.Close()
		}
		return do, client.Close, nil
	})
}

// logins opens connections, logs in by key, and closes them.
func (c *compared) logins(ctx context.Context, s side) (float64, error) {
	return c.many(ctx, signIns, func(int) (func() error, func() error, error) {
		return func() error {
			client, err := c.dial(s)
			if err != nil {
				return err
			}
			return client.Close()
		}, func() error { return nil }, nil
	})
}

// many has so many workers repeat what begin returns for a while, and returns how often a
// second they did.
func (c *compared) many(ctx context.Context, workers int, begin func(n int) (do, end func() error, err error)) (float64, error) {
	var all sync.WaitGroup
	var count atomic.Int64
	errs := make([]error, workers)
	ready := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(workers)
	until, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	for n := range workers {
		all.Go(func() {
			do, end, err := begin(n * 7)
			waiting.Done()
			if errs[n] = err; err != nil {
				return
			}
			<-ready
			for until.Err() == nil {
				if errs[n] = do(); errs[n] != nil {
					break
				}
				count.Add(1)
			}
			_ = end() // it was only a measurement
		})
	}
	waiting.Wait()
	began := time.Now()
	close(ready)
	time.Sleep(c.fetching)
	rate := float64(count.Load()) / time.Since(began).Seconds()
	cancel()
	all.Wait()
	return rate, errors.Join(errs...)
}

// listSFTP measures `ls` where a company has all the finished ones of the list.
func (b *bench) listSFTP(kind string, v *server) error {
	client, err := ssh.Dial("tcp", v.sftp, &ssh.ClientConfig{
		User: companyID, Auth: []ssh.AuthMethod{ssh.Password(apiKey)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second, //nolint:gosec // ours
	})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	files, err := sftp.NewClient(client)
	if err != nil {
		return err
	}
	held, _ := resident(v.pid())
	var took []time.Duration
	for range 200 {
		began := time.Now()
		list, err := files.ReadDir("/")
		if err != nil || len(list) != 50 {
			return errors.Join(err, fmt.Errorf("ls shows %d files", len(list)))
		}
		took = append(took, time.Since(began))
	}
	now, _ := resident(v.pid())
	slices.Sort(took)
	b.table.add(row{
		what: kind + ": ls over SFTP", value: milliseconds(quantile(took, 0.5)) + " / " + milliseconds(quantile(took, 0.99)), aim: "< 200 ms",
		note: fmt.Sprintf("p50 / p99 of %d; memory %.0f MB before, %.0f after", len(took), held, now),
	})
	return nil
}
