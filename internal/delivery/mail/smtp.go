package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"syscall"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// The values of Options.TLS. Certificates are always checked against the system's roots.
// Port 465 means TLS from the first byte, unless TLS is off.
const (
	TLSAuto    = "auto"    // STARTTLS where the server offers it
	TLSRequire = "require" // no mail and no password without TLS
	TLSOff     = "off"     // never TLS; a password then goes in the clear, as the operator said
)

const (
	defaultTimeout = 2 * time.Minute
	farewell       = time.Second // for QUIT, which nobody needs to answer
	implicitPort   = 465
	slowest        = 64 << 10 // bytes a second that a large mail is given time for
)

// Options says which SMTP server takes our mails.
type Options struct {
	Addr     string        // host:port
	User     string        // empty: no sign-in
	Password string        // sent in the clear only to this machine, or with TLSOff
	TLS      string        // TLSAuto, TLSRequire or TLSOff; empty: TLSAuto
	From     string        // the sender's address, with or without a name
	Hello    string        // our name in EHLO; empty: the machine's
	Timeout  time.Duration // of one whole Send, without what a large mail takes; 0: 2 minutes
}

type smtpSender struct {
	Options
	host  string
	port  int
	from  *netmail.Address
	roots *x509.CertPool // nil: the system's
}

// SMTP returns a Sender for one server. It connects anew for each mail, and may be used by
// many goroutines. It fails when the options are malformed, and its error holds no secret.
func SMTP(o Options) (Sender, error) {
	s := &smtpSender{Options: o}
	host, port, err := net.SplitHostPort(o.Addr)
	if err == nil {
		s.port, err = strconv.Atoi(port)
	}
	if err != nil || host == "" || s.port < 1 || s.port > 65535 {
		return nil, errors.New("the SMTP server must be host:port")
	}
	s.host = host
	if s.from, err = netmail.ParseAddress(o.From); err != nil {
		return nil, errors.New("the sender's mail address is malformed")
	}
	switch o.TLS {
	case "":
		s.TLS = TLSAuto
	case TLSAuto, TLSRequire, TLSOff:
	default:
		return nil, fmt.Errorf("SMTP TLS must be %s, %s or %s", TLSAuto, TLSRequire, TLSOff)
	}
	if strings.ContainsFunc(o.Hello, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the name for EHLO is malformed")
	}
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	return s, nil
}

func (s *smtpSender) Send(ctx context.Context, m Message) error {
	msg, err := compose(s.from, m)
	if err != nil {
		return err
	}
	timeout := s.Timeout + time.Duration(msg.size/slowest)*time.Second
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	line := &line{sender: s}
	defer line.hangUp()
	client, err := gomail.NewClient(s.host, s.options(timeout, line.dial(ctx))...)
	if err != nil {
		return &Error{What: "the SMTP options are unusable"}
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return beforeMail(ctx, err)
	}
	if err := transfer(ctx, session, msg); err != nil {
		return err
	}
	// The server has taken the mail; whatever goes wrong now must not send it twice.
	_ = line.conn.SetDeadline(time.Now().Add(farewell))
	_ = session.Quit()
	return nil
}

// transfer sends one mail. Until its last line is sent the server cannot have taken it; from
// then on, until the answer, nobody knows.
func transfer(ctx context.Context, session *smtp.Client, msg *composed) error {
	if ok, limit := session.Extension("SIZE"); ok {
		if n, err := strconv.ParseInt(limit, 10, 64); err == nil && n > 0 && msg.size > n {
			return &Error{What: "larger than the mail server takes", permanent: true}
		}
	}
	if err := session.Mail(msg.from); err != nil {
		return duringMail(ctx, "sender refused", err)
	}
	if err := session.Rcpt(msg.to); err != nil {
		return duringMail(ctx, "recipient refused", err)
	}
	w, err := session.Data()
	if err != nil {
		return duringMail(ctx, "mail refused", err)
	}
	if err := msg.writeTo(w); err != nil {
		var source *sourceError
		if errors.As(err, &source) && ctx.Err() == nil {
			return unreadable(source) // hanging up now, the server takes nothing
		}
		return duringMail(ctx, "mail refused", err)
	}
	if err := w.Close(); err != nil {
		failed := duringMail(ctx, "mail refused", err)
		if failed.Code == 0 {
			failed.What, failed.uncertain = failed.What+" after all was sent", true
		}
		return failed
	}
	return nil
}

// unreadable is the failure of what a mail was to hold.
func unreadable(e *sourceError) *Error {
	return &Error{What: "the result cannot be read", cause: e.cause}
}

func (s *smtpSender) config() *tls.Config {
	return &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}
}

func (s *smtpSender) implicit() bool { return s.port == implicitPort && s.TLS != TLSOff }

func (s *smtpSender) options(timeout time.Duration, dial gomail.DialContextFunc) []gomail.Option {
	policy := map[string]gomail.TLSPolicy{
		TLSAuto: gomail.TLSOpportunistic, TLSRequire: gomail.TLSMandatory, TLSOff: gomail.NoTLS,
	}[s.TLS]
	all := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTLSPolicy(policy),
		gomail.WithTimeout(2 * timeout), // the context ends first, and says that it did
		gomail.WithTLSConfig(s.config()), gomail.WithDialContextFunc(dial),
	}
	if s.implicit() {
		all = append(all, gomail.WithSSL())
	}
	if s.Hello != "" {
		all = append(all, gomail.WithHELO(s.Hello))
	}
	if s.User != "" {
		// PLAIN and LOGIN refuse to run without TLS to another machine, so stripping
		// STARTTLS from the server's offer yields no password.
		plain, login := gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
		if s.TLS == TLSOff {
			plain, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
		}
		all = append(all, gomail.WithUsername(s.User), gomail.WithPassword(s.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, plain, login, gomail.SMTPAuthCramMD5))
	}
	return all
}

// line is the connection of one Send. The mail library heeds the context only while it
// dials and leaves the connection open when a greeting or sign-in fails, so we keep hold of it.
type line struct {
	sender *smtpSender
	conn   net.Conn
	stop   func() bool
}

func (l *line) dial(send context.Context) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l.conn = conn
		l.stop = context.AfterFunc(send, func() { _ = conn.Close() })
		if !l.sender.implicit() {
			return conn, nil
		}
		secure := tls.Client(conn, l.sender.config())
		return secure, secure.HandshakeContext(ctx)
	}
}

func (l *line) hangUp() {
	if l.conn != nil {
		l.stop()
		_ = l.conn.Close()
	}
}

// beforeMail words a failure to connect or sign in. None is permanent: the mail was not
// looked at, and the operator can mend it.
func beforeMail(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return contextError(ctx.Err())
	}
	var timed net.Error
	if errors.As(err, &timed) && timed.Timeout() {
		return contextError(context.DeadlineExceeded)
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		if strings.Contains(err.Error(), "SMTP AUTH failed") {
			return &Error{What: "sign-in refused", Code: reply.Code}
		}
		return &Error{What: "the server does not want to talk", Code: reply.Code}
	}
	return &Error{What: network(err)}
}

func network(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch text := err.Error(); {
	case errors.As(err, &name):
		return "dns"
	case errors.As(err, &certificate), strings.Contains(text, "tls: "):
		return "tls"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case strings.Contains(text, "support STARTTLS"):
		return "the server offers no STARTTLS"
	case strings.Contains(text, "AUTH"), strings.Contains(text, "unencrypted"):
		return "no safe way to sign in"
	}
	return "connection lost"
}

// duringMail words a failure after the server had let us in. A reply of 5xx is permanent,
// but for the three that ask for a sign-in: those are about us and not about the mail.
func duringMail(ctx context.Context, refused string, err error) *Error {
	if ctx.Err() != nil {
		return contextError(ctx.Err())
	}
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code == 0 {
		return &Error{What: "connection lost"}
	}
	signIn := reply.Code == 530 || reply.Code == 535 || reply.Code == 538
	return &Error{What: refused, Code: reply.Code, permanent: reply.Code >= 500 && reply.Code <= 599 && !signIn}
}
