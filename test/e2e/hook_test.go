package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sink is a company's webhook server. It answers as it is told and records all calls.
type sink struct {
	server *httptest.Server

	mu       sync.Mutex
	codes    map[string][]int // by result, "" for all others; the last one stays
	log      []call
	followed bool // somebody came to where a redirect points
}

type call struct {
	at             time.Time
	number, result string
	code           int
	header         http.Header
	body           []byte
}

// sink starts a webhook server, whose address is in $NAME from then on: sink NAME.
func (w *world) sink(args []string) error {
	s := &sink{codes: map[string][]int{"": {http.StatusOK}}}
	s.server = httptest.NewServer(s)
	w.sinks[args[0]] = s
	w.ts.Setenv(args[0], s.server.URL+"/hook")
	return nil
}

func (s *sink) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path != "/hook" {
		s.followed = true
		return
	}
	c := call{at: time.Now(), header: r.Header, body: body}
	if v, ok := find(body, "identificationprocess.transactionnumber"); ok && err == nil && r.Method == http.MethodPost {
		c.number = text(v)
	}
	if v, ok := find(body, "identificationprocess.result"); ok {
		c.result = text(v)
	}
	which := c.result
	if _, ok := s.codes[which]; !ok {
		which = ""
	}
	c.code = s.codes[which][0]
	if len(s.codes[which]) > 1 {
		s.codes[which] = s.codes[which][1:]
	}
	s.log = append(s.log, c)
	if c.code >= 300 && c.code < 400 {
		rw.Header().Set("Location", "/elsewhere")
	}
	rw.WriteHeader(c.code)
}

// program tells a sink its answers: answer SINK [RESULT=]CODE[,CODE…]…; the last code of a
// list stays.
func (w *world) program(args []string) error {
	s := w.sinks[args[0]]
	if s == nil {
		return errors.New("no such sink")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range args[1:] {
		which, list, ok := strings.Cut(a, "=")
		if !ok {
			which, list = "", a
		}
		var codes []int
		for c := range strings.SplitSeq(list, ",") {
			n, err := number(c)
			if err != nil {
				return err
			}
			codes = append(codes, n)
		}
		s.codes[which] = codes
	}
	return nil
}

func (w *world) recorded(name, tn string) (calls []call, err error) {
	s := w.sinks[name]
	if s == nil {
		return nil, errors.New("no such sink")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.followed {
		return nil, errors.New("a redirect was followed")
	}
	for _, c := range s.log {
		if tn == "" || c.number == tn {
			calls = append(calls, c)
		}
	}
	return calls, nil
}

// calls matches what a sink has recorded of one identification, as RESULT:CODE in order,
// with a regular expression: calls SINK NUMBER 'REVIEW_PENDING:200 SUCCESS:200'.
func (w *world) calls(args []string) error {
	list, err := w.recorded(args[0], args[1])
	if err != nil {
		return err
	}
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprintf("%s:%d", c.result, c.code))
	}
	ok, err := regexp.MatchString("^(?:"+strings.Join(args[2:], " ")+")$", strings.Join(got, " "))
	if err == nil && !ok {
		err = fmt.Errorf("calls were %q", got)
	}
	return err
}

// gaps says how long a sink must at least have waited for each next try of one
// identification; a generous bound holds above: gaps SINK NUMBER DURATION….
func (w *world) gaps(args []string) error {
	list, err := w.recorded(args[0], args[1])
	if err != nil {
		return err
	}
	for i, a := range args[2:] {
		least, err := time.ParseDuration(a)
		if err != nil {
			return err
		}
		if i+1 >= len(list) {
			return fmt.Errorf("there were only %d tries", len(list))
		}
		if gap := list[i+1].at.Sub(list[i].at); gap < least*9/10 || gap > 2*least+3*time.Second {
			return fmt.Errorf("try %d came %v after the one before, not %v", i+2, gap, least)
		}
	}
	return nil
}

// signed computes the Standard-Webhooks signature of every call anew: signed SINK
// SECRET, or signed SINK @FILE where the secret stands in a file.
func (w *world) signed(args []string) error {
	secret := args[1]
	if file, ok := strings.CutPrefix(secret, "@"); ok {
		text, err := os.ReadFile(w.ts.MkAbs(file))
		if err != nil {
			return err
		}
		secret = strings.TrimSuffix(string(text), "\n")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	list, err := w.recorded(args[0], "")
	if err != nil || len(list) == 0 {
		return fmt.Errorf("no calls: %w", err)
	}
	ids := map[string]string{}
	for _, c := range list {
		id, stamp := c.header.Get("webhook-id"), c.header.Get("webhook-timestamp")
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, stamp, c.body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		found := false
		for s := range strings.FieldsSeq(c.header.Get("webhook-signature")) {
			found = found || hmac.Equal([]byte(s), []byte(want))
		}
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if age := c.at.Sub(time.Unix(seconds, 0)); err != nil || age < -5*time.Second || age > 5*time.Second || id == "" || !found {
			return fmt.Errorf("id %q, timestamp %q, signature %q, want %q", id, stamp, c.header.Get("webhook-signature"), want)
		}
		if got := c.header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
			return fmt.Errorf("Content-Type is %q", got)
		}
		key := c.number + c.result
		if before, ok := ids[key]; ok && before != id {
			return fmt.Errorf("two tries of one webhook have the ids %s and %s", before, id)
		}
		ids[key] = id
	}
	return nil
}

// sameBody compares a webhook's body, at each of its tries, with the last answer, byte by
// byte: samebody SINK NUMBER RESULT.
func (w *world) sameBody(args []string) error {
	list, err := w.recorded(args[0], args[1])
	if err != nil {
		return err
	}
	n := 0
	for _, c := range list {
		if c.result != args[2] {
			continue
		}
		n++
		if string(c.body) != string(w.answer.body) {
			return fmt.Errorf("the webhook said\n%s\nand the answer is\n%s", c.body, w.answer.body)
		}
	}
	if n == 0 {
		return errors.New("no such webhook came")
	}
	return nil
}

// mails counts the mails with exactly this subject, to exactly this address:
// mails N TO SUBJECT…; N may be 1+.
func (w *world) mails(args []string) error {
	files, err := filepath.Glob(filepath.Join(w.data, "outbox", "mail", "*.eml"))
	if err != nil {
		return err
	}
	var subjects []string
	n := 0
	for _, f := range files {
		file, err := os.Open(f)
		if err != nil {
			return err
		}
		m, err := mail.ReadMessage(file)
		_ = file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			return err
		}
		subjects = append(subjects, subject)
		to, err := m.Header.AddressList("To")
		if err != nil {
			return err
		}
		if subject == strings.Join(args[2:], " ") && len(to) == 1 && to[0].Address == args[1] {
			n++
		}
	}
	if want := args[0]; strconv.Itoa(n) != want && (want != "1+" || n == 0) {
		return fmt.Errorf("%d such mails, not %s; there are %q", n, want, subjects)
	}
	return nil
}
