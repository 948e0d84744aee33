package mail

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
)

func sender(t *testing.T, s *server, o Options) Sender {
	t.Helper()
	o.Addr = s.addr
	if o.From == "" {
		o.From = "Vidimus <noreply@vidimus.example>"
	}
	out, err := SMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	out.(*smtpSender).roots = s.roots
	return out
}

// quiet fails when an error quotes the mail, the addresses or the server.
func quiet(t *testing.T, err error) {
	t.Helper()
	for _, word := range []string{"ops@", "example", "noreply", "Grüße", "because", "secret", "127.0.0.1"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("the error holds %q: %v", word, err)
		}
	}
}

func TestServerReceivesTheMail(t *testing.T) {
	s := startServer(t, &server{}, nil)
	if err := sender(t, s, Options{Hello: "vidimus.example"}).Send(t.Context(), plain()); err != nil {
		t.Fatal(err)
	}
	all := s.mails()
	if len(all) != 1 {
		t.Fatalf("%d mails", len(all))
	}
	if all[0].From != "noreply@vidimus.example" || all[0].To != "ops@bank.example" || all[0].TLS {
		t.Errorf("envelope %s %s, TLS %t", all[0].From, all[0].To, all[0].TLS)
	}
	if diff := cmp.Diff(wantPlain, parse(t, all[0].Text)); diff != "" {
		t.Error(diff)
	}
}

func TestTLSAndSignInFollowTheOptions(t *testing.T) {
	insecure := func(srv *smtp.Server) { srv.AllowInsecureAuth = true }
	cases := []struct {
		name       string
		tls        bool
		mechanisms []string
		user, pass string
		policy     string
		want       string // error; empty: taken
		secure     bool
	}{
		{name: "auto-takes-starttls", tls: true, policy: TLSAuto, secure: true},
		{name: "auto-without-starttls", policy: TLSAuto},
		{name: "off-leaves-starttls", tls: true, policy: TLSOff},
		{name: "require-with-starttls", tls: true, policy: TLSRequire, secure: true},
		{name: "require-without-starttls", policy: TLSRequire, want: "the server offers no STARTTLS"},
		{name: "sign-in-over-tls", tls: true, mechanisms: []string{"PLAIN"}, user: "us", pass: "secret", policy: TLSRequire, secure: true},
		{name: "sign-in-to-this-machine", mechanisms: []string{"PLAIN"}, user: "us", pass: "secret", policy: TLSAuto},
		{name: "wrong-password", tls: true, mechanisms: []string{"PLAIN"}, user: "us", pass: "wrong", policy: TLSRequire, want: "sign-in refused (535)"},
		{name: "server-knows-no-sign-in", user: "us", pass: "secret", policy: TLSAuto, want: "no safe way to sign in"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := &server{mechanisms: tc.mechanisms}
			change := insecure
			if tc.tls {
				change = s.offerTLS(t)
			}
			startServer(t, s, change)
			err := sender(t, s, Options{User: tc.user, Password: tc.pass, TLS: tc.policy}).Send(t.Context(), plain())
			if tc.want != "" {
				if err == nil || err.Error() != "sending a mail: "+tc.want || Permanent(err) || len(s.mails()) != 0 {
					t.Errorf("error %v, permanent %t, %d mails", err, Permanent(err), len(s.mails()))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if all := s.mails(); len(all) != 1 || all[0].TLS != tc.secure {
				t.Errorf("got %+v", all)
			}
			if users := s.users(); (tc.user != "") != (len(users) == 1) {
				t.Errorf("signed in: %v", users)
			}
		})
	}
}

func TestPasswordIsNotSentInTheClearToAnotherMachine(t *testing.T) {
	s := startServer(t, &server{mechanisms: []string{"PLAIN"}}, func(srv *smtp.Server) { srv.AllowInsecureAuth = true })
	// 127.0.0.2 is this machine too, but no name that a mail library trusts as such.
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("the system has no 127.0.0.2")
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", s.addr)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
			go func() { _, _ = io.Copy(here, there); _ = here.Close() }()
		}
	}()
	send := func(policy string) error {
		out, err := SMTP(Options{Addr: listener.Addr().String(), User: "us", Password: "secret", TLS: policy, From: "a@b.example"})
		if err != nil {
			t.Fatal(err)
		}
		return out.Send(t.Context(), plain())
	}
	if err := send(TLSAuto); err == nil || err.Error() != "sending a mail: no safe way to sign in" || len(s.users()) != 0 {
		t.Errorf("auto: %v, signed in %v", err, s.users())
	}
	if err := send(TLSOff); err != nil || len(s.users()) != 1 {
		t.Errorf("off: %v, signed in %v", err, s.users())
	}
}

func TestUntrustedCertificateIsRefused(t *testing.T) {
	s := &server{}
	startServer(t, s, s.offerTLS(t))
	s.roots = nil
	err := sender(t, s, Options{TLS: TLSAuto}).Send(t.Context(), plain())
	if err == nil || err.Error() != "sending a mail: tls" || len(s.mails()) != 0 {
		t.Errorf("error %v, %d mails", err, len(s.mails()))
	}
}

func TestPermanentAndTemporaryRefusalsAreToldApart(t *testing.T) {
	reply := func(code int) error {
		return &smtp.SMTPError{Code: code, Message: "because of ops@bank.example"}
	}
	cases := []struct {
		name      string
		server    *server
		want      string
		permanent bool
	}{
		{"sender-5xx", &server{mailReply: reply(553)}, "sender refused (553)", true},
		{"recipient-5xx", &server{rcptReply: reply(550)}, "recipient refused (550)", true},
		{"recipient-4xx", &server{rcptReply: reply(451)}, "recipient refused (451)", false},
		{"content-5xx", &server{dataReply: reply(554)}, "mail refused (554)", true},
		{"content-4xx", &server{dataReply: reply(452)}, "mail refused (452)", false},
		{"wants-sign-in", &server{mailReply: reply(530)}, "sender refused (530)", false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			err := sender(t, startServer(t, tc.server, nil), Options{}).Send(t.Context(), plain())
			if err == nil || err.Error() != "sending a mail: "+tc.want || Permanent(err) != tc.permanent {
				t.Fatalf("error %v, permanent %t", err, Permanent(err))
			}
			quiet(t, err)
		})
	}
}

// talk is a server that says its lines, one for each line it reads, and then nothing more.
func talk(t *testing.T, lines ...string) (*server, <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	said := make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		for i, line := range lines {
			if i > 0 {
				_, _ = conn.Read(make([]byte, 1024))
			}
			_, _ = io.WriteString(conn, line+"\r\n")
		}
		close(said)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}()
	return &server{addr: listener.Addr().String()}, said
}

func TestContextEndsAHangingServer(t *testing.T) {
	for name, lines := range map[string][]string{
		"before-greeting": {},
		"after-greeting":  {"220 hello"},
		"after-hello":     {"220 hello", "250 localhost"},
		"after-sender":    {"220 hello", "250 localhost", "250 ok"},
	} {
		t.Run(name, func(t *testing.T) {
			s, said := talk(t, lines...)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-said; cancel() }()
			err := sender(t, s, Options{}).Send(ctx, plain())
			if !errors.Is(err, context.Canceled) || Permanent(err) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestTimeoutEndsAHangingServer(t *testing.T) {
	s, _ := talk(t, "220 hello")
	err := sender(t, s, Options{Timeout: 50 * time.Millisecond}).Send(t.Context(), plain())
	if !errors.Is(err, context.DeadlineExceeded) || Permanent(err) {
		t.Errorf("error %v", err)
	}
}

func TestServerThatTurnsUsAwayIsNotPermanent(t *testing.T) {
	s, _ := talk(t, "554 because")
	err := sender(t, s, Options{}).Send(t.Context(), plain())
	if err == nil || err.Error() != "sending a mail: the server does not want to talk (554)" || Permanent(err) {
		t.Errorf("error %v", err)
	}
}

func TestNobodyListeningIsNotPermanent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	err = sender(t, &server{addr: listener.Addr().String()}, Options{}).Send(t.Context(), plain())
	if err == nil || err.Error() != "sending a mail: connection refused" || Permanent(err) {
		t.Errorf("error %v", err)
	}
}

func TestMalformedOptionsAreRefusedWithoutQuotingThem(t *testing.T) {
	good := Options{Addr: "mail.example:25", From: "a@b.example", Password: "secret"}
	for name, change := range map[string]func(*Options){
		"no-port":     func(o *Options) { o.Addr = "mail.example" },
		"bad-port":    func(o *Options) { o.Addr = "mail.example:0" },
		"no-host":     func(o *Options) { o.Addr = ":25" },
		"bad-from":    func(o *Options) { o.From = "nobody" },
		"bad-policy":  func(o *Options) { o.TLS = "maybe" },
		"hello-lines": func(o *Options) { o.Hello = "a\r\nMAIL FROM:<x@y>" },
	} {
		o := good
		change(&o)
		if _, err := SMTP(o); err == nil {
			t.Errorf("%s is accepted", name)
		} else {
			quiet(t, err)
		}
	}
	if _, err := SMTP(good); err != nil {
		t.Error(err)
	}
}
