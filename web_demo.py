"""The consultation page under the published project's command: `streamlit run web_demo.py --server.port 8888`."""

from healgpt.web.app import main

main()
