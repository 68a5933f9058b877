"""Every word the web page shows, in one place so that clinicians can review it without reading code.

Names are grouped by where the text stands. `{…}` is filled in with `str.format`; whatever is filled in is escaped
by the caller where the text becomes HTML.
"""

PAGE_TITLE = "HealGPT 健康问诊"
BRAND = "HealGPT"
BRAND_LINE = "中文健康问诊助手"
DISCLAIMER = "回答由语言模型生成，可能有错，仅供研究与教育，不能代替医生。急症请拨打"
DISCLAIMER_CALL = "120"

# an empty conversation
WELCOME = "您好，今天哪里不舒服？"
WELCOME_LINE = "说说症状、多久了、有多重，还有年龄、过敏和正在吃的药。信息不够时我会先问几句，再给建议。"
WELCOME_EMERGENCY = "胸痛、呼吸困难、大出血、意识不清或一侧肢体无力，请不要在这里等，马上"
SUGGESTIONS_LABEL = "可以这样问"
SUGGESTIONS = (
    ("颈椎与头痛", "我感觉自己颈椎非常不舒服，每天睡醒都会头痛"),
    ("感冒咳嗽", "感冒三天了，不发烧，但一直咳嗽有白痰，需要去医院吗？"),
    ("肠胃不适", "饭后胃胀、反酸大概两周了，平时饮食要注意什么？"),
    ("看懂检查", "体检说尿酸 480，没有不舒服，要挂哪个科？"),
)

# the conversation
QUESTION_BOX = "描述您的不适或问题，按回车发送"
SPEAKER_USER = "我"
SPEAKER_DOCTOR = "HealGPT"
STATE_LOADING = "正在准备模型…"
STATE_READING = "正在读您的描述…"
SECONDS_WAITED = "{seconds} 秒"
STATUS_WRITING = "正在回答"
STOP = "停止回答"
RETRY = "重新回答"
RETRY_UNANSWERED = "再试一次"
STOPPED = "回答已停止，以上是已经写出的部分。"
CUT = "回答达到了长度上限，可在“模型与参数”里调大。"
UNANSWERED = "这个问题还没有得到回答。"
NOT_SAVED = "这一轮没有保存：{reason}"
CHANGED_ELSEWHERE = "这段对话在别的窗口里有了新内容，页面已经更新，请再发一次。"
CUT_OFF = "模型没有把话说完就断开了。请再试一次。"
BUG = "程序出了意外（{kind}），这个问题没有得到回答。请再试一次；若反复出现，请把运行窗口里的记录发给维护者。"

# alarms
ALARM_EMERGENCY = "紧急情况"
ALARM_URGENT = "需要尽快就医"
ALARM_EMERGENCY_LINE = "请现在就打电话，不要等网上的回答。"
ALARM_URGENT_LINE = "请今天就去医院；如果加重，马上打急救电话。"
ALARM_CALL = "拨打 {number}"

# evidence
EVIDENCE = "依据 · {count} 条知识图谱事实"
EVIDENCE_NONE = "没有引用知识图谱：这条回答没有可核对的依据，请以医生意见为准。"
EVIDENCE_HEAD = ("编号", "主体", "关系", "内容", "来源", "可信度")
EVIDENCE_CAPTION = "这条回答可以引用的事实；编号对应文中的 [1]、[2]。"
EVIDENCE_GRAPH = "关系图"
EVIDENCE_GRAPH_ALT = "关系图：{facts}"

# the interview
INTERVIEW = "问诊进展 · 已记下 {count} 项"
INTERVIEW_CAPTION = "到目前为止从您的话里记下的内容；记错了请直接说明。"
INTERVIEW_STATED = "您说到"
INTERVIEW_DENIED = "您说没有"
INTERVIEW_ASKING = "正在问"
INTERVIEW_JOIN = "、"
INTERVIEW_LIKELY = "可能相关：按知识图谱推算，只供参考，不是诊断；肿瘤等严重疾病要由医生检查，不在这里列出。"
INTERVIEW_HEAD = ("名称", "可能性", "相符之处", "就诊科室")
INTERVIEW_NO_DEPARTMENT = "未收录"

# feedback
UP = "有帮助"
DOWN = "没帮助"
FEEDBACK_REASON_UP = "哪里好？（可不填）"
FEEDBACK_REASON_DOWN = "哪里不好？（可不填）"
FEEDBACK_REASONS = {
    "up": ("准确", "好懂", "问到点上", "建议可行"),
    "down": ("不准确", "没答到点上", "看不懂", "可能有风险"),
}
FEEDBACK_DETAIL = "补充说明"
FEEDBACK_NO_REASON = "未说明"
FEEDBACK_SEND = "提交"
FEEDBACK_NOTE = "姓名、电话等个人信息会先抹去，再保存下来用于改进。"
FEEDBACK_SAVED = "谢谢，反馈已记录。"

# side panel
NEW = "新对话"
CONVERSATIONS = "对话"
CONVERSATIONS_NONE = "还没有对话。"
CONVERSATIONS_MORE = "显示全部 {count} 段对话"
UNTITLED = "未命名对话"
WRITING_ELSEWHERE = "（正在回答）"
NO_GRAPH_NOTE = "没有本地知识图谱，回答不引用资料。在终端运行 `healgpt pull cmekg` 后重新打开网页即可。"
VISITOR_NOTE = "您的对话只保存在这个标签页里，关闭后即清除；需要留存请先导出。"
RENAME = "改名"
RENAME_LABEL = "新的名称"
SAVE = "保存"
CANCEL = "取消"
DELETE = "删除"
DELETE_TITLE = "删除对话"
DELETE_QUESTION = "确定要删除“{title}”吗？删除后无法恢复。"
DELETE_CONFIRM = "确认删除"
PARAMETERS = "模型与参数"
MODEL = "模型"
TEMPERATURE = "温度"
TEMPERATURE_HELP = "越低越稳重，越高越多样；0 表示每次都选最可能的字。"
TOP_P = "核采样 top-p"
TOP_P_HELP = "只在累计概率达到这个比例的候选字里选。"
MAX_TOKENS = "回答长度上限（词元）"
MAX_TOKENS_HELP = "一个词元约等于一个半汉字。"
EXPORT = "导出对话"
EXPORT_MARKDOWN = "Markdown"
EXPORT_JSON = "JSON"
EXPORT_EMPTY = "开始对话后可以在这里导出。"

# a model that is not there
PULL_TITLE = "还差一步：下载模型"
PULL_LINE = "模型 {name} 还没有下载到这台机器。下载一次即可，之后不联网也能使用。"
PULL_SIZE = "大小"
PULL_LICENSE = "许可"
PULL_PLACE = "保存到"
PULL_BUTTON = "下载模型（{size}）"
PULL_AGAIN = "继续下载"
PULL_STARTING = "正在连接…"
PULL_PROGRESS = "{stage} · {done} / {total}"
PULL_SPEED = " · {speed}/秒 · 还需约 {left}"
PULL_STAGES = {
    "waiting": "等待另一个下载",
    "download": "正在下载",
    "verify": "正在校验",
    "notice": "正在下载",
    "done": "完成",
}
DURATION_SECONDS = "{seconds} 秒"
DURATION_MINUTES = "{minutes} 分 {seconds:02d} 秒"
PULL_FAILED = "下载没有完成：{reason}"
PULL_KEEP = "已经下载的部分会保留，可以关掉这个页面，下载会在后台继续。"
ENGINE_FAILED = "模型打不开：{reason}"
ENGINE_RETRY = "重新加载模型"
TROUBLE = "页面打不开：{reason}"

# what Streamlit itself says in English: to screen readers, and in a few visible places
LABELS = {
    "Send message": "发送",
    "Expand sidebar": "展开侧栏",
    "Collapse sidebar": "收起侧栏",
    "Sidebar": "侧栏",
    "Skip to main content": "跳到正文",
    "Main menu": "显示设置",
    "Close": "关闭",
    "Open": "展开选项",
    "Help for ": "说明：",
}
