package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// node is one server process.
type node struct {
	name, addr, log string
	args, env       []string
	cmd             *exec.Cmd
	ended           chan error // holds the end of the process, once
	started         time.Time
	ready           time.Duration
}

// readiness is how long a server may take until it serves.
const readiness = 30 * time.Second

// serve starts a server and waits until it serves: serve [-n NAME] [-e VAR=VALUE]… [FLAG…].
// One that was started before starts again as it was, unless flags are given.
func (w *world) serve(args []string) error {
	opts, flags, err := options(args, "ne")
	if err != nil {
		return err
	}
	n, err := w.prepare(first(opts["n"], "main"), flags, opts["e"])
	if err != nil {
		return err
	}
	return w.start(n)
}

// together starts two servers at the same moment, each with a folder of its own but for the
// master key: together NAME NAME [FLAG…].
func (w *world) together(args []string) error {
	var both [2]*node
	shared := []string{"--master-key", filepath.Join(w.work, "master")}
	for i := range both {
		var err error
		if both[i], err = w.prepare(args[i], append(shared, args[2:]...), nil); err != nil {
			return err
		}
	}
	faults := make(chan error)
	for _, n := range both {
		go func() { faults <- w.start(n) }()
	}
	return errors.Join(<-faults, <-faults)
}

// prepare makes a node, or changes the flags of one that was.
func (w *world) prepare(name string, flags, env []string) (*node, error) {
	n := w.nodes[name]
	var err error
	if n == nil {
		n = &node{name: name, addr: w.ts.Getenv("ADDR"), log: filepath.Join(w.work, name+".log")}
		if name != "main" {
			if n.addr, err = freeAddress(); err != nil {
				return nil, err
			}
			w.ts.Setenv("HOST_"+name, "http://"+n.addr)
		}
		sftp, err := freeAddress()
		if err != nil {
			return nil, err
		}
		if _, port, err := net.SplitHostPort(sftp); err == nil && name == "main" {
			w.ts.Setenv("SFTP_PORT", port)
		}
		n.args = []string{"serve", "--data", w.data, "--http", n.addr, "--sftp", sftp}
		if w.database != "" {
			n.args = append(n.args, "--database", w.database, "--keys", w.keys)
		}
		n.args, n.env = append(n.args, flags...), env
		w.nodes[name] = n
	} else if len(flags) > 0 {
		own := 7 // serve, and three flags with their values
		if w.database != "" {
			own += 4
		}
		n.args, n.env = append(n.args[:own:own], flags...), env
	}
	return n, nil
}

// launch starts the process of n, whose end n.ended will tell.
func (w *world) launch(n *node) error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	n.cmd = exec.Command(w.bin, n.args...)
	n.cmd.Dir = w.work
	n.cmd.Stderr = log // its greeting, on the standard output, shows the key of the demo
	n.cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(w.work, "tmp"))
	n.cmd.Env = append(n.cmd.Env, n.env...)
	n.started = time.Now()
	if err := n.cmd.Start(); err != nil {
		return err
	}
	n.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(n.cmd, n.ended)
	return nil
}

func (w *world) start(n *node) error {
	if err := w.launch(n); err != nil {
		return err
	}
	for end := time.Now().Add(readiness); time.Now().Before(end); time.Sleep(3 * time.Millisecond) {
		select {
		case err := <-n.ended:
			n.ended <- err
			text, _ := os.ReadFile(n.log)
			return fmt.Errorf("the server ended: %w\n%s", errors.Join(err, errors.New("before it served")), text)
		default:
		}
		r, err := w.client.Get("http://" + n.addr + "/system_check")
		if err != nil {
			continue
		}
		_ = r.Body.Close()
		if r.StatusCode == http.StatusOK {
			n.ready = time.Since(n.started)
			return nil
		}
	}
	return errors.New("the server does not serve")
}

func (n *node) kill() {
	if n.cmd == nil || n.cmd.Process == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	err := <-n.ended
	n.ended <- err
}

func (w *world) node(args []string) (*node, error) {
	n := w.nodes[first(args, "main")]
	if n == nil {
		return nil, errors.New("no such server")
	}
	return n, nil
}

// cutNode ends a server as a power cut does: cut [NAME].
func (w *world) cutNode(args []string) error {
	n, err := w.node(args)
	if err == nil {
		n.kill()
		w.client.CloseIdleConnections()
	}
	return err
}

// haltNode asks a server to stop, and fails unless it exits with 0 within ten seconds:
// halt [NAME].
func (w *world) haltNode(args []string) error {
	n, err := w.node(args)
	if err != nil {
		return err
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	begun := time.Now()
	select {
	case err := <-n.ended:
		n.ended <- err
		w.client.CloseIdleConnections()
		w.ts.Logf("stopped in %v", time.Since(begun).Round(time.Millisecond))
		if err != nil {
			return fmt.Errorf("the server did not exit with 0: %w", err)
		}
		return nil
	case <-time.After(10 * time.Second):
		return errors.New("the server did not stop within 10 s")
	}
}

// crashNode kills a server at random moments and starts it again: crash TIMES MAX [NAME].
func (w *world) crashNode(args []string) error {
	times, err := number(args[0])
	if err != nil {
		return err
	}
	longest, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	n, err := w.node(args[2:])
	if err != nil {
		return err
	}
	for range times {
		moment := rand.N(longest)
		time.Sleep(moment)
		n.kill()
		w.client.CloseIdleConnections()
		w.ts.Logf("killed after %v", moment.Round(time.Millisecond))
		if err := w.start(n); err != nil {
			return err
		}
	}
	return nil
}

// logs matches what a server has written: logs REGEXP [NAME].
func (w *world) logs(args []string) error {
	n, err := w.node(args[1:])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(n.log)
	if err != nil {
		return err
	}
	if ok, err := regexp.Match("(?m)"+args[0], text); err != nil || !ok {
		return fmt.Errorf("the log holds no %q", args[0])
	}
	return nil
}

// inLogs fails if a text stands in the log of no server; its negation is what scripts use.
func (w *world) inLogs(args []string) error {
	for _, n := range w.nodes {
		if found := searchFile(args, n.log); found != "" {
			w.ts.Logf("%s", found)
			return nil
		}
	}
	return errors.New("no log holds any of it")
}

// figures prints how fast a server started and how much memory it holds.
func (w *world) figures(args []string) error {
	n, err := w.node(args)
	if err != nil {
		return err
	}
	memory := "unknown"
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid)); err == nil {
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				memory = strings.Join(strings.Fields(rest), " ")
			}
		}
	}
	w.ts.Logf("figures: served after %v, resident memory %s", n.ready.Round(time.Millisecond), memory)
	fmt.Fprintf(os.Stderr, "figures: served after %v, resident memory %s\n", n.ready.Round(time.Millisecond), memory)
	return nil
}
