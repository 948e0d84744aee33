package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// post is a company's mail server.
type post struct {
	addr string
	auth bool
	cert *tls.Certificate // nil: no STARTTLS

	mu     sync.Mutex
	server *smtp.Server
	hold   chan struct{} // if set, answers to mails wait for its end
	got    []string
	plain  int // mails that came without TLS
}

// post starts a mail server, or changes one: post NAME [tls] [auth] [hold], and
// post NAME open|shut|free.
func (w *world) post(args []string) error {
	p := w.posts[args[0]]
	if p == nil {
		addr, err := freeAddress()
		if err != nil {
			return err
		}
		p = &post{addr: addr}
		w.posts[args[0]] = p
		w.ts.Setenv(args[0], addr)
		args = append(args, "open")
	}
	for _, what := range args[1:] {
		switch what {
		case "tls":
			roots := filepath.Join(w.work, args[0]+"-roots.pem")
			if err := p.certify(roots); err != nil {
				return err
			}
			w.ts.Setenv(args[0]+"_ROOTS", roots)
		case "auth":
			p.auth = true
		case "hold":
			p.hold = make(chan struct{})
		case "free":
			p.mu.Lock()
			close(p.hold)
			p.hold = nil
			p.mu.Unlock()
		case "open":
			if err := p.open(); err != nil {
				return err
			}
		case "shut":
			p.shut()
		default:
			return fmt.Errorf("a mail server knows no %q", what)
		}
	}
	return nil
}

func (p *post) open() error {
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secure := c.TLSConnectionState()
		return &sitting{post: p, secure: secure}, nil
	}))
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "localhost", p.cert == nil, log.New(io.Discard, "", 0)
	if p.cert != nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*p.cert}, MinVersion: tls.VersionTLS12}
	}
	p.server = s
	go func() { _ = s.Serve(listener) }()
	return nil
}

func (p *post) shut() {
	p.mu.Lock()
	if p.hold != nil {
		close(p.hold)
		p.hold = nil
	}
	p.mu.Unlock()
	_ = p.server.Close()
}

// certify makes a certificate for 127.0.0.1, and writes it where programs find their roots.
func (p *post) certify(roots string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	p.cert = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}

// sitting is one connection to a mail server.
type sitting struct {
	post           *post
	secure, signed bool
}

func (s *sitting) AuthMechanisms() []string {
	if !s.post.auth {
		return nil
	}
	return []string{"PLAIN"}
}

func (s *sitting) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "vidimus" || password != "smtpPassword" {
			return smtp.ErrAuthFailed
		}
		s.signed = true
		return nil
	}), nil
}

func (s *sitting) Mail(string, *smtp.MailOptions) error {
	if s.post.auth && !s.signed {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *sitting) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
	}
	return nil
}

func (s *sitting) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.post.mu.Lock()
	s.post.got = append(s.post.got, string(text))
	if !s.secure {
		s.post.plain++
	}
	hold := s.post.hold
	s.post.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return nil
}

func (*sitting) Reset()        {}
func (*sitting) Logout() error { return nil }

// mailed counts the mails that a server has taken, those with a text in their header:
// mailed NAME N [TEXT]. None may have come without TLS where it was offered.
func (w *world) mailed(args []string) error {
	p := w.posts[args[0]]
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, m := range p.got {
		head, _, _ := strings.Cut(m, "\r\n\r\n")
		if strings.Contains(head, strings.Join(args[2:], " ")) {
			n++
		}
	}
	if p.cert != nil && p.plain > 0 {
		return fmt.Errorf("%d mails came in the clear", p.plain)
	}
	if fmt.Sprint(n) != args[1] {
		return fmt.Errorf("%d such mails of %d, not %s", n, len(p.got), args[1])
	}
	return nil
}

func (p *post) nth(n string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, err := number(n)
	if err != nil || at < 1 || at > len(p.got) {
		return "", fmt.Errorf("there are %d mails, none is number %s", len(p.got), n)
	}
	return p.got[at-1], nil
}

// letter writes the N-th mail into a file: letter NAME N FILE.
func (w *world) letter(args []string) error {
	text, err := w.posts[args[0]].nth(args[1])
	if err != nil {
		return err
	}
	return os.WriteFile(w.ts.MkAbs(args[2]), []byte(text), 0o600)
}

// sameID says whether mails have one Message-ID: sameid NAME N N….
func (w *world) sameID(args []string) error {
	var ids []string
	for _, n := range args[1:] {
		text, err := w.posts[args[0]].nth(n)
		if err != nil {
			return err
		}
		m, err := mail.ReadMessage(strings.NewReader(text))
		if err != nil {
			return err
		}
		ids = append(ids, m.Header.Get("Message-Id"))
	}
	if ids[0] == "" || len(slices.Compact(slices.Clone(ids))) != 1 {
		return fmt.Errorf("the ids are %q", ids)
	}
	return nil
}

// enclosed writes the ZIP in a mail into a file: enclosed MAIL FILE. $ENCLOSED is what the
// mail calls it.
func (w *world) enclosed(args []string) error {
	text, err := os.ReadFile(w.ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return errors.New("the mail holds no ZIP")
		}
		if err != nil {
			return err
		}
		if part.Header.Get("Content-Type") != "application/zip" {
			continue
		}
		zip, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
		if err != nil {
			return err
		}
		w.ts.Setenv("ENCLOSED", part.FileName())
		return os.WriteFile(w.ts.MkAbs(args[1]), zip, 0o600)
	}
}

// ledger waits for the state of a mail in the ledger: ledger NUMBER STATE.
func (w *world) ledger(args []string) error {
	if err := w.http([]string{"-t", w.ts.Getenv("TOKEN"), "GET", "/api/v1/mailbank/identifications/" + args[0] + "/deliveries"}); err != nil {
		return err
	}
	if w.answer.status == http.StatusUnauthorized {
		// Where time runs fast, a log-in does not last: the next look has a new one.
		return errors.Join(errors.New("the log-in is over"), w.use([]string{w.ts.Getenv("COMPANY"), w.ts.Getenv("KEY")}))
	}
	if want := `"state":"` + args[1] + `"`; !strings.Contains(string(w.answer.body), `"MAIL"`) || !strings.Contains(string(w.answer.body), want) {
		return errors.New(w.shown())
	}
	return nil
}
