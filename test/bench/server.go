package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// settings are what a server is started with.
type settings struct {
	data     string
	database string
	keys     string // the folder of keys, where it is not in data
	speedup  int
}

func (s settings) flags() []string {
	f := []string{"--data", s.data}
	if s.database != "" {
		f = append(f, "--database", s.database)
	}
	if s.keys != "" {
		f = append(f, "--keys", filepath.Join(s.keys, "keys.db"), "--master-key", filepath.Join(s.keys, "master"))
	}
	return f
}

// server is the built program, serving.
type server struct {
	cmd   *exec.Cmd
	addr  string
	sftp  string
	began time.Time
	took  time.Duration // from its start to its first answer
	log   string        // file
}

// serve starts the program and waits until its system check is good.
func (b *bench) serve(ctx context.Context, s settings) (*server, error) {
	v, err := b.launch(s)
	if err != nil {
		return nil, err
	}
	return v, v.ready(ctx)
}

// launch starts a server and does not wait for it.
func (b *bench) launch(s settings) (*server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	sftp, err := freeAddress()
	if err != nil {
		return nil, err
	}
	logTo := filepath.Join(s.data, "server.log")
	if b.quiet {
		logTo = os.DevNull
	}
	log, err := os.OpenFile(logTo, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has its own
	args := append([]string{"serve", "--http", addr, "--sftp", sftp}, s.flags()...)
	if s.speedup > 1 {
		args = append(args, "--speedup", strconv.Itoa(s.speedup))
	}
	cmd := exec.Command(b.program, args...) //nolint:gosec // the program that is measured
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &server{cmd: cmd, addr: addr, sftp: sftp, began: began, log: logTo}, nil
}

// ready waits for the first answer; a server that gives none is stopped.
func (v *server) ready(ctx context.Context) error {
	for time.Since(v.began) < 30*time.Second && ctx.Err() == nil {
		if c, err := dial(v.addr); err == nil {
			status, _, err := c.do(get("/system_check", ""))
			c.close()
			if err == nil && status == 200 {
				v.took = time.Since(v.began)
				return nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return errors.Join(errors.New("the server did not start, see "+v.log), v.stop())
}

func (v *server) pid() int { return v.cmd.Process.Pid }

// stop ends the server as an operator would.
func (v *server) stop() error {
	if v.cmd.ProcessState != nil {
		return nil
	}
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	late := time.AfterFunc(15*time.Second, func() { _ = v.cmd.Process.Kill() })
	defer late.Stop()
	return v.cmd.Wait()
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// The company that everything is measured with.
const (
	companyID = "benchbank"
	shortcode = "BNC"
	apiKey    = "benchApiKeyOfTheBenchBank"
)

// apply creates the company; a webhook address may be empty.
func (b *bench) apply(ctx context.Context, s settings, webhook string) error {
	more := ""
	if webhook != "" {
		more = "webhooks:\n  - url: " + webhook + "\n"
	}
	return b.applyWith(ctx, s, more)
}

// applyWith creates the company with further lines in its file.
func (b *bench) applyWith(ctx context.Context, s settings, more string) error {
	text := "companyid: " + companyID + "\nshortcode: " + shortcode + "\nname: Bench Bank\napi_keys: [" + apiKey + "]\ntechnical_contact: tech@bench.example\n" + more
	file := filepath.Join(s.data, "company.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, b.program, append([]string{"company", "apply", "-f", file}, s.flags()...)...).CombinedOutput() //nolint:gosec // the program that is measured
	if err != nil {
		return fmt.Errorf("applying the company: %w: %s", err, out)
	}
	return nil
}

// start measures how long a start takes and what an idle server holds.
func (b *bench) start(ctx context.Context) error {
	for _, kind := range b.databases() {
		s, err := b.fresh(ctx, kind, "start")
		if err != nil {
			return err
		}
		if err := b.apply(ctx, s, ""); err != nil {
			return err
		}
		var all []time.Duration
		var idle float64
		for range b.runs {
			v, err := b.serve(ctx, s)
			if err != nil {
				return err
			}
			all = append(all, v.took)
			before := look(v.pid())
			time.Sleep(2 * time.Second)
			used := look(v.pid()).since(before)
			idle, _ = resident(v.pid())
			if err := v.stop(); err != nil {
				return err
			}
			if len(all) == b.runs {
				took := median(all, func(d time.Duration) float64 { return float64(d) })
				b.table.add(row{what: kind + ": start to first answer", value: fmt.Sprintf("%.2f s", took.Seconds()), aim: "< 1 s"})
				b.table.add(row{what: kind + ": memory, idle", value: fmt.Sprintf("%.0f MB", idle), aim: "< 100 MB", cpu: used, note: "resident, 2 s after the start"})
			}
		}
	}
	return nil
}
