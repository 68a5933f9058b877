# One word a task. Every target may be run again at any time: it does only what is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# .venv/.core holds what a consultation needs, .venv/.dev what the tests need besides
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
ASK ?=
export ASK
# the graph that answers cite; a consultation without it still works
GRAPH := $(or $(HEALGPT_HOME),$(HOME)/.healgpt)/graphs/graph.sqlite
MODEL ?= healgpt-mini
# ExplainCPE questions, which are not part of this project
EXAM ?= ../shared/data/explaincpe_train.json

.DEFAULT_GOAL := help
.PHONY: help setup chat web test check format system-deps bench bench-chat bench-models bench-exams eval-safety clean

help:  ## 列出这里的命令
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)$$/  make \1\t\2/' | expand -t 20

setup: $(CORE) $(GRAPH)  ## 建好 .venv，装好问诊需要的依赖
	@$(BIN)/healgpt pull $(MODEL)

chat: $(CORE) $(GRAPH)  ## 在终端里问诊；make chat ASK="…" 只问一句
	@if [ -n "$$ASK" ]; then $(BIN)/healgpt ask --model $(MODEL) -- "$$ASK"; else $(BIN)/healgpt chat --model $(MODEL); fi

web: $(CORE) $(GRAPH)  ## 打开网页版问诊
	@$(BIN)/healgpt web --model $(MODEL)

check: $(DEV)  ## 静态检查：ruff、mypy、分层、依赖
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src

test: $(DEV) system-deps check  ## 装好测试所需的一切，跑静态检查和全部测试
	@$(BIN)/healgpt pull qwen2.5-coder-0.5b
	@$(BIN)/healgpt pull cmekg
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest
	@$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=80

format: $(DEV)  ## 统一代码格式
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: bench-chat  ## 跑全部性能测量

bench-chat: $(DEV)  ## 问诊的速度，与同一文件上的其他引擎相比
	@$(BIN)/healgpt pull qwen2.5-coder-0.5b
	$(BIN)/python benchmarks/chat.py

bench-models: $(DEV)  ## 模型形式的对照：位数、偏差、大小、速度
	@$(BIN)/healgpt pull qwen2.5-coder-0.5b
	$(BIN)/python benchmarks/models.py

bench-exams: $(DEV)  ## 考题的速度，与 lm-eval 在同一权重上相比；make bench-exams EXAM=考题.json
	@$(BIN)/healgpt pull qwen2.5-coder-0.5b
	$(BIN)/python benchmarks/exams.py --exam $(EXAM)

eval-safety: $(DEV)  ## 安全与知识的全部指标（留出集），有一项不达标就失败
	@$(BIN)/healgpt pull cmekg
	$(BIN)/python benchmarks/safety.py

clean:  ## 删除虚拟环境和缓存，不动模型和对话
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(CORE): pyproject.toml requirements.txt | $(BIN)/pip
	@echo "正在安装依赖，第一次约需一两分钟……"
	$(BIN)/pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(GRAPH): | $(CORE)
	@$(BIN)/healgpt pull cmekg >&2 || echo "没有取到知识图谱，这次的回答不引用资料。" >&2

# torch is pinned first: a range would bring a CUDA build of several gigabytes to a machine without a GPU
$(DEV): $(CORE) pyproject.toml constraints-cpu.txt
	@echo "正在安装测试依赖（含 PyTorch CPU 版），第一次约需两三分钟……"
	$(BIN)/pip install -qq --disable-pip-version-check -c constraints-cpu.txt -e ".[web,train,eval,dev]"
	@touch $@

# what the browser and terminal tests drive; other systems: install chromium, a CJK font and tmux by hand
system-deps:
	@if ! command -v chromium >/dev/null || ! command -v tmux >/dev/null || ! fc-list 2>/dev/null | grep -qi cjk; then \
	  if command -v apt-get >/dev/null; then \
	    if [ "$$(id -u)" = 0 ]; then SUDO=; else SUDO=sudo; fi; \
	    $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig tmux >/dev/null; \
	  else echo "请先安装 chromium、tmux 和一种中文字体，否则浏览器与终端测试会跳过。"; fi; fi
