package mail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// server is a real SMTP server that keeps what it was given.
type server struct {
	addr  string
	roots *x509.CertPool

	mailReply, rcptReply, dataReply error // what it refuses with; nil: it takes everything
	mechanisms                      []string

	taken, hold chan struct{} // if set: closed when a mail is taken; its answer waits for the end of hold

	mu   sync.Mutex
	got  []received
	logs []string // who signed in
}

type received struct {
	From, To, Text string
	TLS            bool
}

func startServer(t *testing.T, s *server, change func(*smtp.Server)) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secure := c.TLSConnectionState()
		return &session{s: s, now: received{TLS: secure}}, nil
	}))
	srv.Domain = "localhost"
	srv.ErrorLog = log.New(io.Discard, "", 0)
	if change != nil {
		change(srv)
	}
	go func() { _ = srv.Serve(listener) }()
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

// offerTLS gives the server a certificate for 127.0.0.1 that only s.roots knows.
func (s *server) offerTLS(t *testing.T) func(*smtp.Server) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(certificate)
	return func(srv *smtp.Server) {
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	}
}

func (s *server) mails() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}

func (s *server) users() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.logs...)
}

type session struct {
	s   *server
	now received
}

func (s *session) AuthMechanisms() []string { return s.s.mechanisms }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "us" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		s.s.mu.Lock()
		defer s.s.mu.Unlock()
		s.s.logs = append(s.s.logs, user)
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.now.From = from
	return s.s.mailReply
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.To += to
	return s.s.rcptReply
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.s.dataReply != nil {
		return s.s.dataReply
	}
	s.now.Text = string(text)
	s.s.mu.Lock()
	s.s.got = append(s.s.got, s.now)
	s.s.mu.Unlock()
	if s.s.taken != nil {
		close(s.s.taken)
		<-s.s.hold
	}
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }
