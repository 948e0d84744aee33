package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// world is what one script acts on: its servers, its webhook sinks, the last answer and the
// texts that must stand nowhere in clear.
type world struct {
	bin            string
	database, keys string // addresses of PostgreSQL; empty: the embedded store
	data, work     string
	client         *http.Client

	ts     *testscript.TestScript // of the command that runs now
	answer answer
	nodes  map[string]*node
	sinks  map[string]*sink
	posts  map[string]*post
	crowd  crowd

	provider *provider // of signatures; nil until provide

	key     []byte // that thekey has noted
	secrets []string
	watch   *watch
}

// answer is the last answer of a server.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func newWorld(bin string) *world {
	return &world{
		bin: bin, nodes: map[string]*node{}, sinks: map[string]*sink{}, posts: map[string]*post{},
		client: &http.Client{
			Timeout:       30 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 300},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (w *world) setup(env *testscript.Env) error {
	w.work = env.WorkDir
	w.data = filepath.Join(env.WorkDir, "data")
	if err := os.MkdirAll(filepath.Join(env.WorkDir, "tmp"), 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(env.WorkDir, "bin"), 0o700); err != nil {
		return err
	}
	if err := os.Symlink(w.bin, filepath.Join(env.WorkDir, "bin", "vidimus")); err != nil {
		return err
	}
	if err := w.share(); err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"PATH="+filepath.Join(env.WorkDir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"DATA="+w.data, "ADDR="+addr, "HOST=http://"+addr, "TMPDIR="+filepath.Join(env.WorkDir, "tmp"),
		"DATABASE="+w.database, "KEYS="+w.keys, "LC_ALL=C.UTF-8",
		"PRINTED=id"+"now", "SUBJECT=ID"+"now", // how names of certificates and subjects of mails begin
	)
	env.Defer(w.close)
	return nil
}

// share has the data folder use the compiled PDFium of all scripts.
func (w *world) share() error {
	dir, err := cache()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(w.data, "cache"), 0o700); err != nil {
		return err
	}
	return os.Symlink(dir, filepath.Join(w.data, "cache", "pdfium"))
}

func (w *world) close() {
	if w.watch != nil {
		w.watch.end()
	}
	for _, n := range w.nodes {
		n.kill()
	}
	for _, s := range w.sinks {
		s.server.Close()
	}
	for _, p := range w.posts {
		p.shut()
	}
	if w.provider != nil {
		w.provider.Close()
	}
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// command is one command of the scripts. It may be repeated by until, so it fails by its
// error alone.
type command func(args []string) error

func (w *world) table() map[string]command {
	return map[string]command{
		"serve": w.serve, "together": w.together, "cut": w.cutNode, "halt": w.haltNode, "crash": w.crashNode, "logs": w.logs, "figures": w.figures,
		"http": w.http, "status": w.status, "header": w.header, "body": w.body, "json": w.json, "absent": w.absent, "present": w.present,
		"count": w.count, "save": w.save, "fault": w.fault, "long": w.long, "guess": w.guess,
		"use": w.use, "create": w.create, "robot": w.robot, "await": w.await, "get": w.get, "zip": w.zip, "scenario": w.scenario,
		"members": w.members, "xmlorder": w.xmlOrder, "kind": w.kind, "samejson": w.sameJSON,
		"sink": w.sink, "answer": w.program, "calls": w.calls, "gaps": w.gaps, "signed": w.signed, "samebody": w.sameBody, "mails": w.mails,
		"post": w.post, "mailed": w.mailed, "letter": w.letter, "enclosed": w.enclosed, "sameid": w.sameID, "ledger": w.ledger,
		"provide": w.provide, "provided": w.provided,
		"backup": w.backup, "restore": w.restore, "thekey": w.theKey, "keygone": w.keyGone, "tamper": w.tamper, "sealed": w.sealed,
		"secret": w.secret, "nowhere": w.nowhere, "inlogs": w.inLogs,
		"flood": w.flood, "flooded": w.flooded, "pour": w.pour, "robots": w.robots, "finished": w.finished, "handed": w.handed,
		"smalldisk": w.smallDisk, "fill": w.fill, "empty": w.empty,
		"expand": w.expand, "characters": w.characters, "sleep": pause,
	}
}

// commands returns the commands as the script engine takes them, until among them.
func (w *world) commands() map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){}
	table := w.table()
	for name, run := range table {
		all[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			w.ts = ts
			verdict(ts, neg, run(args))
		}
	}
	all["until"] = func(ts *testscript.TestScript, neg bool, args []string) {
		w.ts = ts
		verdict(ts, neg, until(table, args))
	}
	return all
}

func verdict(ts *testscript.TestScript, neg bool, err error) {
	switch {
	case err != nil && !neg:
		ts.Fatalf("%v", err)
	case err == nil && neg:
		ts.Fatalf("succeeded, though it must not")
	}
}

// until repeats the rest of the line, which may hold several commands between "and", until
// all succeed.
func until(table map[string]command, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: until DURATION COMMAND… [and COMMAND…]")
	}
	limit, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	var steps [][]string
	step := []string{}
	for _, a := range append(args[1:], "and") {
		if a != "and" {
			step = append(step, a)
			continue
		}
		steps, step = append(steps, step), []string{}
	}
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		err := once(table, steps)
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within %v: %w", limit, err)
		}
	}
}

func once(table map[string]command, steps [][]string) error {
	for _, s := range steps {
		run, ok := table[s[0]]
		if !ok {
			return fmt.Errorf("unknown command %q", s[0])
		}
		if err := run(s[1:]); err != nil {
			return err
		}
	}
	return nil
}

// pause waits; only for what has no sign to wait for.
func pause(args []string) error {
	d, err := time.ParseDuration(args[0])
	time.Sleep(d)
	return err
}

// expand replaces the variables in files of the script.
func (w *world) expand(args []string) error {
	for _, name := range args {
		text, err := os.ReadFile(w.ts.MkAbs(name))
		if err != nil {
			return err
		}
		text = []byte(os.Expand(string(text), w.ts.Getenv))
		if err := os.WriteFile(w.ts.MkAbs(name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// options takes the leading -x VALUE pairs off args.
func options(args []string, known string) (values map[string][]string, rest []string, err error) {
	values = map[string][]string{}
	for len(args) > 0 {
		if len(args[0]) != 2 || args[0][0] != '-' {
			rest, args = append(rest, args[0]), args[1:]
			continue
		}
		if !strings.Contains(known, args[0][1:]) || len(args) < 2 {
			return nil, nil, fmt.Errorf("option %q is unknown or without value", args[0])
		}
		values[args[0][1:]] = append(values[args[0][1:]], args[1])
		args = args[2:]
	}
	return values, rest, nil
}

func first(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}

// watch looks into files again and again, for texts that must never stand there.
type watch struct {
	mu    sync.Mutex
	found string
	stop  chan struct{}
	done  chan struct{}
}

func (w *watch) end() string {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	<-w.done
	return w.found
}

// secret declares texts that must stand in no file of the servers, now or later, and starts
// to look for them.
func (w *world) secret(args []string) error {
	w.secrets = append(w.secrets, args...)
	if w.watch != nil {
		return nil
	}
	w.watch = &watch{stop: make(chan struct{}), done: make(chan struct{})}
	texts := append([]string{}, args...)
	go func() {
		defer close(w.watch.done)
		for {
			if found := search(texts, w.data, filepath.Join(w.work, "tmp")); found != "" {
				w.watch.found = found
				return
			}
			select {
			case <-w.watch.stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return nil
}

// nowhere fails if a secret text stands, or stood, in a file of the servers or in their
// logs.
func (w *world) nowhere([]string) error {
	if w.watch == nil {
		return errors.New("no secret was declared")
	}
	if found := w.watch.end(); found != "" {
		return fmt.Errorf("at some time, %s", found)
	}
	if found := search(w.secrets, w.data, filepath.Join(w.work, "tmp")); found != "" {
		return errors.New(found)
	}
	for _, n := range w.nodes {
		if found := searchFile(w.secrets, n.log); found != "" {
			return errors.New("the log of the server: " + found)
		}
	}
	return nil
}

// search says where one of texts stands in clear, in whatever case.
func search(texts []string, dirs ...string) string {
	for _, dir := range dirs {
		var found string
		_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil //nolint:nilerr // files come and go while a server runs
			}
			for _, t := range texts {
				if strings.Contains(strings.ToLower(path), strings.ToLower(t)) {
					found = fmt.Sprintf("%q stands in the name %s", t, path)
					return filepath.SkipAll
				}
			}
			if found = searchFile(texts, path); found != "" {
				return filepath.SkipAll
			}
			return nil
		})
		if found != "" {
			return found
		}
	}
	return ""
}

func searchFile(texts []string, path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	lower := strings.ToLower(string(data))
	for _, t := range texts {
		if at := strings.Index(lower, strings.ToLower(t)); at >= 0 {
			return fmt.Sprintf("%q stands in %s, at %d: %q", t, path, at, data[max(0, at-60):min(len(data), at+len(t)+40)])
		}
	}
	return ""
}

func number(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n, nil
}
